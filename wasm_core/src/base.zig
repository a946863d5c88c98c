//! What the base library does with external tables, so that programs see them as plain ones: raw
//! access and metatables. c/external.h tells how the stock functions come here.

const events = @import("events.zig");
const lua = @import("lua.zig");
const access = @import("access.zig");
const adopt = @import("adopt.zig");
const critical = @import("critical.zig");
const external = @import("external.zig");
const flush = @import("flush.zig");
const load = @import("load.zig");
const record = @import("record.zig");

/// As lua_rawget: replaces the key at the top by the entry. Returns its type.
export fn core_external_rawget(L: *lua.State, index: c_int) c_int {
    const p = lua.lua_absindex(L, index);
    const key = lua.lua_gettop(L);
    critical.enter(L);
    lua.lua_pushvalue(L, key);
    if (lua.lua_rawget(L, p) == 0) {
        lua.pop(L, 1);
        external.pushMeta(L, p);
        access.pushEntry(L, p, key + 1, key);
    }
    critical.leave(L);
    lua.lua_copy(L, -1, key);
    lua.lua_settop(L, key);
    return lua.lua_type(L, key);
}

/// As lua_rawset: pops a value and a key.
export fn core_external_rawset(L: *lua.State, index: c_int) void {
    const p = lua.lua_absindex(L, index);
    const value = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 4, null);
    external.pushMeta(L, p);
    access.assignChecked(L, p, value + 1, value - 1, value);
    lua.lua_settop(L, value - 2);
}

export fn core_external_rawlen(L: *lua.State, index: c_int) u64 {
    const p = lua.lua_absindex(L, index);
    lua.luaL_checkstack(L, 4, null);
    external.pushMeta(L, p);
    const length = access.rawLength(L, p, lua.lua_gettop(L));
    lua.pop(L, 1);
    return @intCast(length);
}

/// As lua_getmetatable: pushes the metatable that the program set, if it did.
export fn core_external_getmetatable(L: *lua.State, index: c_int) c_int {
    const p = lua.lua_absindex(L, index);
    critical.enter(L);
    external.pushMeta(L, p);
    load.resolve(L, p, lua.lua_gettop(L));
    critical.leave(L);
    external.pushSlot(L, -1, .metatable);
    lua.remove(L, -2);
    if (lua.lua_toboolean(L, -1) != 0) return 1;
    lua.pop(L, 1);
    return 0;
}

/// The external table at `index` becomes the metatable of a value that is none.
export fn core_external_as_metatable(L: *lua.State, index: c_int) void {
    const p = lua.lua_absindex(L, index);
    const top = lua.lua_gettop(L);
    critical.enter(L);
    load.readWhole(L, p);
    external.pushMeta(L, p);
    var flags = external.flagsOf(L, -1);
    flags.of_plain = true;
    external.setFlags(L, top + 1, flags);
    critical.leave(L);
    lua.lua_settop(L, top);
}

/// As lua_setmetatable: pops a table or nil. A plain table is adopted.
export fn core_external_setmetatable(L: *lua.State, index: c_int) c_int {
    const p = lua.lua_absindex(L, index);
    const metatable = lua.lua_gettop(L);
    critical.enter(L);
    external.pushMeta(L, p);
    const m = metatable + 1;
    load.resolve(L, p, m);
    if (lua.typeAt(L, metatable) == .nil) {
        lua.lua_pushboolean(L, 0);
        external.setSlot(L, m, .metatable);
        lua.lua_createtable(L, 0, 0);
        events.fill(L, m, m + 1);
    } else {
        if (external.is(L, metatable)) load.readWhole(L, metatable) else adopt.adopt(L, p, 0, metatable);
        external.attachMetatable(L, m, metatable);
    }
    flush.markMetatable(L, p, m);
    critical.leave(L);
    lua.lua_settop(L, metatable - 1);
    return 1;
}
