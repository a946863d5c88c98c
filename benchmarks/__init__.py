"""Measures this project's VM against native Lua and wasmoon, and judges the results by fixed bars.

Run `python -m benchmarks`; `docs/performance.md` says what is measured and how.
"""
