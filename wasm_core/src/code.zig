//! The code of persisted functions: storing prototypes and bringing them back.

const lua = @import("lua.zig");

/// The id of the stored code of the Lua function at `index`.
pub fn define(L: *lua.State, _: c_int) i64 {
    return lua.luaL_error(L, "functions cannot be stored yet");
}

/// Pushes a new function of the stored code. Stack: +1.
pub fn push(L: *lua.State, _: i64) void {
    _ = lua.luaL_error(L, "functions cannot be stored yet");
}
