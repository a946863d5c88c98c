"""The WebAssembly core: stock Lua 5.4 and our Zig code, and the steps that compile them.

`wasm_core.fetch` brings Lua's C sources, `wasm_core.build` makes `lua_core.wasm`. Neither is part
of the wheel, and neither imports `lua_ls_persist`: both run before there is a package to import.
"""
