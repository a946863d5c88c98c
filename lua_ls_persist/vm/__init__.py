"""The VM: the Lua core in WebAssembly, run by wasmtime. The only package that imports wasmtime."""

from lua_ls_persist.vm.host import GivenUp, Host, NoHost, Stopped
from lua_ls_persist.vm.image import Image, ImagePages
from lua_ls_persist.vm.machine import (
    MEMORY_LIMIT_BYTES_MAX,
    MEMORY_LIMIT_BYTES_MIN,
    Machine,
)
from lua_ls_persist.vm.module import (
    CompiledCore,
    CoreInfo,
    cache_folder,
    cache_path,
    core_info,
    load_core,
    wasm_path,
    wasm_sha256,
    wasmtime_version,
)

__all__ = [
    "MEMORY_LIMIT_BYTES_MAX",
    "MEMORY_LIMIT_BYTES_MIN",
    "CompiledCore",
    "CoreInfo",
    "GivenUp",
    "Host",
    "Image",
    "ImagePages",
    "Machine",
    "NoHost",
    "Stopped",
    "cache_folder",
    "cache_path",
    "core_info",
    "load_core",
    "wasm_path",
    "wasm_sha256",
    "wasmtime_version",
]
