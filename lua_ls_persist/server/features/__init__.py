"""One module a feature: each converts what comes in, makes one call, and converts what goes out."""
