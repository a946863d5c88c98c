//! Permanents: values that are stored by name, not by content. The functions, tables and handles of
//! the standard libraries, as they are when the VM opens, and what `ext.permanent` registers.

const std = @import("std");
const lua = @import("lua.zig");
const external = @import("external.zig");
const Registry = external.Registry;

/// Names all that the loaded libraries have. Stack: unchanged.
pub fn open(L: *lua.State) void {
    const top = lua.lua_gettop(L);
    _ = lua.lua_rawgeti(L, lua.registry_index, lua.ridx_globals);
    name(L, top + 1, "_G");
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 1) != 0) : (lua.pop(L, 1)) {
        const key = lua.stringAt(L, -2);
        switch (lua.typeAt(L, -1)) {
            .function => name(L, -1, key),
            .table => if (!std.mem.eql(u8, key, "_G")) nameLibrary(L, key),
            else => {},
        }
    }
    lua.pop(L, 1);
    _ = lua.lua_pushstring(L, "");
    if (lua.lua_getmetatable(L, -1) != 0) name(L, -1, "string.metatable");
    lua.lua_settop(L, top);
}

/// The library at the top, and what it has.
fn nameLibrary(L: *lua.State, library: []const u8) void {
    const table = lua.lua_gettop(L);
    name(L, table, library);
    lua.luaL_checkstack(L, 8, null);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, table) != 0) : (lua.pop(L, 1)) {
        switch (lua.typeAt(L, -1)) {
            .function, .table, .userdata => {},
            else => continue,
        }
        if (lua.typeAt(L, -2) != .string) continue;
        var buffer: [100]u8 = undefined;
        const text = std.fmt.bufPrint(&buffer, "{s}.{s}", .{ library, lua.stringAt(L, -2) }) catch continue;
        if (!isNamed(L, -1)) name(L, -1, text);
    }
}

/// The value at `index` is stored by this name from now on. Stack: unchanged.
pub noinline fn name(L: *lua.State, index: c_int, text: []const u8) void {
    const value = lua.lua_absindex(L, index);
    lua.luaL_checkstack(L, 4, null);
    external.push(L, Registry.permanent_names);
    lua.lua_pushvalue(L, value);
    lua.pushString(L, text);
    lua.lua_rawset(L, -3);
    external.push(L, Registry.permanents);
    lua.pushString(L, text);
    lua.lua_pushvalue(L, value);
    lua.lua_rawset(L, -3);
    lua.pop(L, 2);
}

pub noinline fn isNamed(L: *lua.State, index: c_int) bool {
    if (lua.typeAt(L, index) == .nil) return false;
    const value = lua.lua_absindex(L, index);
    external.push(L, Registry.permanent_names);
    lua.lua_pushvalue(L, value);
    defer lua.pop(L, 2);
    return lua.lua_rawget(L, -2) != 0;
}

/// Pushes the name of a permanent. Stack: +1.
pub noinline fn pushName(L: *lua.State, index: c_int) void {
    const value = lua.lua_absindex(L, index);
    external.push(L, Registry.permanent_names);
    lua.lua_pushvalue(L, value);
    _ = lua.lua_rawget(L, -2);
    lua.remove(L, -2);
}

/// Replaces the name at the top by its permanent; if nothing was registered by that name, by a value
/// that raises an error when it is called or indexed, and that is stored by the same name.
/// Stack: unchanged.
pub noinline fn pushNamed(L: *lua.State) void {
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 6, null);
    external.push(L, Registry.permanents);
    lua.lua_pushvalue(L, top);
    if (lua.lua_rawget(L, -2) == 0) {
        lua.pop(L, 1);
        pushMissing(L, top);
        name(L, -1, lua.stringAt(L, top));
    }
    lua.lua_copy(L, -1, top);
    lua.lua_settop(L, top);
}

/// Pushes what stands for the permanent with the name at `index`. Stack: +1.
fn pushMissing(L: *lua.State, index: c_int) void {
    _ = lua.lua_newuserdatauv(L, 0, 0);
    lua.lua_createtable(L, 0, 4);
    for ([_][*:0]const u8{ "__call", "__index", "__newindex", "__len" }) |event| {
        lua.lua_pushvalue(L, index);
        lua.lua_pushcclosure(L, missing, 1);
        lua.lua_setfield(L, -2, event);
    }
    _ = lua.lua_setmetatable(L, -2);
}

fn missing(L: *lua.State) callconv(.c) c_int {
    const text = lua.lua_tolstring(L, lua.upvalueIndex(1), null).?;
    return lua.luaL_error(L, "the permanent '%s' is not there: register it with ext.permanent first", text);
}
