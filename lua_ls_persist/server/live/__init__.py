"""What the VM knows about the code in a buffer: from an expression to a value, and what it shows.

Between the analysis of the source, which knows no values, and the features, which know LSP. Must
not know LSP types.
"""
