//! Reading and writing entries of external tables: the metamethods behind the cache.

const std = @import("std");
const events = @import("events.zig");
const lua = @import("lua.zig");
const adopt = @import("adopt.zig");
const critical = @import("critical.zig");
const external = @import("external.zig");
const flush = @import("flush.zig");
const loading = @import("load.zig");
const record = @import("record.zig");
const schemas = @import("schemas.zig");
const Request = @import("storecall.zig").Request;

/// `__index` of all caches, called for what a cache does not have. Arguments: the cache, a key.
pub fn load(L: *lua.State) callconv(.c) c_int {
    lua.lua_settop(L, 2);
    critical.enter(L);
    external.pushOwner(L, 1);
    external.pushMeta(L, 3);
    pushLoaded(L, 3, 4, 2);
    critical.leave(L);
    if (lua.typeAt(L, -1) != .nil) return 1;
    return inherit(L);
}

/// As many tables may stand behind each other by `__index` or `__newindex`, as in Lua.
const chain_max = 2000;

/// Pushes what the metatable that the program sees has for an absent key, and so on through those that
/// inherit from each other. Stack: ?, key, P, M.
fn inherit(L: *lua.State) c_int {
    for (0..chain_max) |_| {
        lua.lua_settop(L, 4);
        external.pushSlot(L, 4, .metatable);
        if (lua.lua_toboolean(L, 5) == 0) {
            lua.lua_pushnil(L);
            return 1;
        }
        _ = lua.lua_pushstring(L, "__index");
        switch (@as(lua.Type, @fromBackingInt(@intCast(lua.lua_rawget(L, 5))))) {
            .nil => return 1,
            .function => {
                lua.lua_pushvalue(L, 3);
                lua.lua_pushvalue(L, 2);
                lua.lua_callk(L, 2, 1, 0, returnTop);
                return 1;
            },
            else => {},
        }
        if (!external.is(L, 6)) {
            checkIndexable(L, 6, "__index");
            lua.lua_pushvalue(L, 2);
            _ = lua.lua_gettable(L, 6);
            return 1;
        }
        lua.lua_copy(L, 6, 3);
        if (pushOwn(L)) return 1;
    }
    return lua.luaL_error(L, "'__index' chain too long; possible loop");
}

/// Raises what Lua raises, with a place. Stack: unchanged.
fn checkIndexable(L: *lua.State, value: c_int, event: [*:0]const u8) void {
    if (lua.typeAt(L, value) == .table) return;
    if (lua.luaL_getmetafield(L, value, event) != 0) return lua.pop(L, 1);
    _ = lua.luaL_error(L, "attempt to index a %s value", lua.lua_typename(L, lua.lua_type(L, value)));
}

/// Pushes the entry of P, whose M becomes the present one, and whether there is one. Stack: ?, key, P, ...
fn pushOwn(L: *lua.State) bool {
    lua.lua_settop(L, 3);
    external.pushMeta(L, 3);
    lua.lua_pushvalue(L, 2);
    if (lua.lua_rawget(L, 3) != 0) return true;
    lua.lua_settop(L, 4);
    critical.enter(L);
    loading.resolve(L, 3, 4);
    pushEntry(L, 3, 4, 2);
    critical.leave(L);
    return lua.typeAt(L, -1) != .nil;
}

fn returnTop(_: *lua.State, _: c_int, _: lua.KContext) callconv(.c) c_int {
    return 1;
}

/// `__index` of M where P has names of metamethods as keys. Arguments: P, a key that P itself does not
/// have. Upvalue: C.
pub fn index(L: *lua.State) callconv(.c) c_int {
    lua.lua_settop(L, 2);
    lua.lua_pushvalue(L, 2);
    if (lua.lua_rawget(L, lua.upvalueIndex(1)) != 0 and !events.isName(L, 2)) return 1;
    lua.lua_settop(L, 2);
    critical.enter(L);
    lua.lua_pushvalue(L, 1);
    external.pushMeta(L, 3);
    pushEntry(L, 3, 4, 2);
    critical.leave(L);
    if (lua.typeAt(L, -1) != .nil) return 1;
    return inherit(L);
}

/// Pushes the entry at `key`, or nil. Stack: +1.
pub noinline fn pushEntry(L: *lua.State, p: c_int, m: c_int, key: c_int) void {
    external.pushSlot(L, m, .cache);
    lua.lua_pushvalue(L, key);
    if (lua.lua_rawget(L, -2) != 0) {
        lua.remove(L, -2);
        if (events.isName(L, key)) {
            lua.pop(L, 1);
            lua.lua_pushvalue(L, key);
            _ = lua.lua_rawget(L, p);
        }
        return;
    }
    lua.pop(L, 2);
    pushLoaded(L, p, m, key);
}

/// Pushes the entry at `key`, which the cache does not have, or nil. Stack: +1.
noinline fn pushLoaded(L: *lua.State, p: c_int, m: c_int, key: c_int) void {
    const flags = external.flagsOf(L, m);
    if (flags.complete or !canBeKey(L, key)) return lua.lua_pushnil(L);
    if (isKnown(L, m, key)) return lua.lua_pushnil(L);
    flush.makeRoom(L);
    if (!flags.visited) {
        loading.visit(L, p, m);
        external.pushSlot(L, m, .cache);
        lua.lua_pushvalue(L, key);
        _ = lua.lua_rawget(L, -2);
        lua.remove(L, -2);
        if (lua.typeAt(L, -1) != .nil or external.flagsOf(L, m).complete) return;
        lua.pop(L, 1);
    }
    loading.pushEntry(L, p, m, key);
}

/// Whether the store may have an entry at `key`.
fn canBeKey(L: *lua.State, key: c_int) bool {
    return switch (lua.typeAt(L, key)) {
        .nil => false,
        .number => {
            const number = lua.lua_tonumberx(L, key, null);
            return number == number;
        },
        else => record.isStorable(L, key),
    };
}

/// Whether the key was deleted in this evaluation, or is known to be absent.
fn isKnown(L: *lua.State, m: c_int, key: c_int) bool {
    external.pushSlot(L, m, .keys);
    defer lua.pop(L, 1);
    if (lua.typeAt(L, -1) != .table) return false;
    lua.lua_pushvalue(L, key);
    defer lua.pop(L, 1);
    return lua.lua_rawget(L, -2) != 0;
}

/// `__newindex` of external tables. Arguments: the table, a key, a value.
pub fn assign(L: *lua.State) callconv(.c) c_int {
    for (0..chain_max) |_| {
        lua.lua_settop(L, 3);
        external.pushMeta(L, 1);
        if (!pushDelegate(L)) {
            lua.lua_settop(L, 4);
            assignChecked(L, 1, 4, 2, 3);
            return 0;
        }
        if (lua.typeAt(L, -1) == .function) {
            for ([_]c_int{ 1, 2, 3 }) |argument| lua.lua_pushvalue(L, argument);
            lua.lua_callk(L, 3, 0, 0, returnNothing);
            return 0;
        }
        if (!external.is(L, -1)) {
            checkIndexable(L, lua.lua_gettop(L), "__newindex");
            lua.lua_pushvalue(L, 2);
            lua.lua_pushvalue(L, 3);
            lua.lua_settable(L, -3);
            return 0;
        }
        lua.lua_copy(L, -1, 1);
        // Names of metamethods are written to P itself where it has them.
        lua.lua_pushvalue(L, 2);
        if (lua.lua_rawget(L, 1) != 0) {
            lua.lua_settop(L, 3);
            lua.lua_rawset(L, 1);
            return 0;
        }
    }
    return lua.luaL_error(L, "'__newindex' chain too long; possible loop");
}

/// Pushes what the program's `__newindex` is, if it decides. Stack: P, key, value, M.
fn pushDelegate(L: *lua.State) bool {
    critical.enter(L);
    loading.resolve(L, 1, 4);
    external.pushSlot(L, 4, .metatable);
    var is_present = lua.lua_toboolean(L, 5) == 0;
    if (!is_present) {
        _ = lua.lua_pushstring(L, "__newindex");
        is_present = lua.lua_rawget(L, 5) == 0;
    }
    if (!is_present) {
        pushEntry(L, 1, 4, 2);
        is_present = lua.typeAt(L, -1) != .nil;
        lua.pop(L, 1);
    }
    critical.leave(L);
    return !is_present;
}

fn returnNothing(_: *lua.State, _: c_int, _: lua.KContext) callconv(.c) c_int {
    return 0;
}

/// Sets an entry, whatever the metatable says, as far as schemas allow. Stack: unchanged.
pub noinline fn assignChecked(L: *lua.State, p: c_int, m: c_int, key: c_int, value: c_int) void {
    if (!schemas.guards(L, m)) return assignEntry(L, p, m, key, value);
    schemas.check(L, p, m, key, value);
    assignEntry(L, p, m, key, value);
    schemas.mark(L, value);
}

/// Sets an entry, whatever the metatable says. Raises what Lua raises for a key that cannot be one, and
/// if the key or the value cannot be persisted; then nothing has changed. Stack: unchanged.
noinline fn assignEntry(L: *lua.State, p: c_int, m: c_int, key: c_int, value: c_int) void {
    switch (lua.typeAt(L, key)) {
        .nil => _ = lua.luaL_error(L, "table index is nil"),
        .number => {
            const number = lua.lua_tonumberx(L, key, null);
            if (number != number) _ = lua.luaL_error(L, "table index is NaN");
        },
        else => {},
    }
    const is_nil = lua.typeAt(L, value) == .nil;
    critical.enter(L);
    if (!record.isStorable(L, key)) {
        if (is_nil) return critical.leave(L);
        adopt.adopt(L, p, key, key);
    }
    if (!record.isStorable(L, value)) adopt.adopt(L, p, key, value);
    flush.makeRoom(L);
    loading.notePath(L, p, key, value);
    external.pushSlot(L, m, .cache);
    lua.lua_pushvalue(L, key);
    if (lua.lua_rawget(L, -2) == 0) external.cached_count += 1;
    lua.lua_pushvalue(L, key);
    lua.lua_pushvalue(L, value);
    lua.lua_rawset(L, -4);
    lua.pop(L, 2);
    flush.markChanged(L, p, m, key);
    if (events.isName(L, key)) {
        flush.keepEvent(L, p, key, value);
        events.spread(L, p);
    }
    if (lua.lua_isinteger(L, key) != 0) moveBorder(L, p, m, lua.lua_tointegerx(L, key, null), is_nil);
    critical.leave(L);
}

/// Keeps what is known of the greatest integer key true.
fn moveBorder(L: *lua.State, p: c_int, m: c_int, key: lua.Integer, is_nil: bool) void {
    const border = external.integerSlot(L, m, .border);
    if (border < 0 or key < 1) return;
    if (!is_nil) {
        if (key > border) external.setIntegerSlot(L, m, .border, key);
    } else if (key == border) {
        lua.lua_pushinteger(L, key - 1);
        var below: lua.Integer = -1;
        if (key == 1) {
            below = 0;
        } else {
            pushEntry(L, p, m, lua.lua_gettop(L));
            if (lua.typeAt(L, -1) != .nil) below = key - 1;
            lua.pop(L, 1);
        }
        lua.pop(L, 1);
        external.setIntegerSlot(L, m, .border, below);
    }
}

/// `__len` of external tables.
pub fn lengthOf(L: *lua.State) callconv(.c) c_int {
    lua.lua_settop(L, 1);
    external.pushMeta(L, 1);
    critical.enter(L);
    loading.resolve(L, 1, 2);
    critical.leave(L);
    external.pushSlot(L, 2, .metatable);
    if (lua.lua_toboolean(L, -1) != 0) {
        _ = lua.lua_pushstring(L, "__len");
        if (lua.lua_rawget(L, 3) != 0) {
            // Lua gives the operand twice.
            lua.lua_pushvalue(L, 1);
            lua.lua_pushvalue(L, 1);
            lua.lua_callk(L, 2, 1, 0, returnTop);
            return 1;
        }
    }
    lua.lua_settop(L, 2);
    lua.lua_pushinteger(L, rawLength(L, 1, 2));
    return 1;
}

/// A border, as `#` of a plain table gives: of several the greatest, unless all is in the cache.
pub fn rawLength(L: *lua.State, p: c_int, m: c_int) lua.Integer {
    critical.enter(L);
    const length = findBorder(L, p, m);
    critical.leave(L);
    return length;
}

fn findBorder(L: *lua.State, p: c_int, m: c_int) lua.Integer {
    loading.visit(L, p, m);
    if (external.flagsOf(L, m).complete) {
        external.pushSlot(L, m, .cache);
        defer lua.pop(L, 1);
        return @intCast(lua.lua_rawlen(L, -1));
    }
    const known = external.integerSlot(L, m, .border);
    if (known >= 0) return known;
    flush.flushIfListed(L, m);
    var request: Request = .{};
    request.int(i64, external.integerSlot(L, m, .id));
    var reply = request.send(L, .length);
    const border = reply.int(i64);
    external.setIntegerSlot(L, m, .border, border);
    return border;
}
