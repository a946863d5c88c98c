//! Going through external tables. What is all in the cache is gone through there, in Lua's order, as a
//! plain table is. The rest comes from the store in pages, in the store's order: numbers before
//! strings, both ascending. Either way existing entries may be changed or deleted meanwhile.

const events = @import("events.zig");
const lua = @import("lua.zig");
const access = @import("access.zig");
const critical = @import("critical.zig");
const external = @import("external.zig");
const flush = @import("flush.zig");
const load = @import("load.zig");
const pending = @import("pending.zig");
const Registry = external.Registry;

/// `__pairs` of external tables.
pub fn pairs(L: *lua.State) callconv(.c) c_int {
    lua.lua_settop(L, 1);
    critical.enter(L);
    external.pushMeta(L, 1);
    load.resolve(L, 1, 2);
    critical.leave(L);
    external.pushSlot(L, 2, .metatable);
    if (lua.lua_toboolean(L, -1) != 0) {
        _ = lua.lua_pushstring(L, "__pairs");
        if (lua.lua_rawget(L, 3) != 0) {
            lua.lua_pushvalue(L, 1);
            lua.lua_callk(L, 1, 3, 0, returnThree);
            return 3;
        }
    }
    lua.lua_settop(L, 2);
    critical.enter(L);
    load.visit(L, 1, 2);
    const flags = external.flagsOf(L, 2);
    const is_in_pages = flags.iterated_in_pages and flags.iterated == external.evaluation_number;
    if (flags.complete and !is_in_pages) {
        begin(L, 2, false);
        _ = lua.lua_getfield(L, lua.registry_index, next_name);
    } else {
        lua.lua_createtable(L, 0, 0);
        lua.lua_pushinteger(L, 0);
        lua.lua_pushboolean(L, 0);
        lua.lua_pushinteger(L, external.emptied_count);
        lua.lua_pushcclosure(L, nextOfPages, 4);
    }
    critical.leave(L);
    lua.lua_pushvalue(L, 1);
    lua.lua_pushnil(L);
    return 3;
}

fn returnThree(_: *lua.State, _: c_int, _: lua.KContext) callconv(.c) c_int {
    return 3;
}

/// Where the registry has the stock `next`.
pub const next_name = "lua-persist.next";

/// From here to the end of the evaluation `next` goes through the table this way. Stack: unchanged.
fn begin(L: *lua.State, m: c_int, in_pages: bool) void {
    var flags = external.flagsOf(L, m);
    flags.iterated = external.evaluation_number;
    flags.iterated_in_pages = in_pages;
    external.setFlags(L, m, flags);
}

/// The iterator of tables that are gone through in pages. Arguments: P, the key before, which is not
/// looked at. Upvalues: the keys of a page, the number of the one before, whether it is the last page, and
/// how often caches had been emptied when it began.
fn nextOfPages(L: *lua.State) callconv(.c) c_int {
    lua.lua_settop(L, 1);
    critical.enter(L);
    const count = pushNextOfPages(L);
    critical.leave(L);
    return count;
}

/// Pushes the next entry, or nil. How many values it pushed.
fn pushNextOfPages(L: *lua.State) c_int {
    external.pushMeta(L, 1);
    const keys = lua.upvalueIndex(1);
    while (true) {
        const place = lua.lua_tointegerx(L, lua.upvalueIndex(2), null) + 1;
        if (lua.lua_rawgeti(L, keys, place) == 0) {
            lua.lua_settop(L, 2);
            if (lua.lua_toboolean(L, lua.upvalueIndex(3)) != 0) {
                noteComplete(L, 2, lua.lua_tointegerx(L, lua.upvalueIndex(4), null));
                lua.lua_pushnil(L);
                return 1;
            }
            _ = lua.lua_rawgeti(L, keys, place - 1);
            nextPage(L, 3);
            lua.lua_copy(L, -1, lua.upvalueIndex(1));
            lua.lua_settop(L, 2);
            continue;
        }
        lua.lua_pushinteger(L, place);
        lua.lua_copy(L, -1, lua.upvalueIndex(2));
        lua.pop(L, 1);
        access.pushEntry(L, 1, 2, 3);
        if (lua.typeAt(L, -1) != .nil) return 2;
        lua.lua_settop(L, 2);
    }
}

/// All pages were gone through: all of the table is in the cache, unless that was emptied meanwhile.
fn noteComplete(L: *lua.State, m: c_int, emptied_count: lua.Integer) void {
    if (emptied_count != external.emptied_count) return;
    var flags = external.flagsOf(L, m);
    flags.complete = true;
    external.setFlags(L, m, flags);
}

/// Pushes the keys of the page after the key at `after`. Stack: +1; index 1 is P, 2 is M.
fn nextPage(L: *lua.State, after: c_int) void {
    const keys = pushPage(L, 1, 2, after);
    lua.lua_pushinteger(L, 0);
    lua.lua_copy(L, -1, lua.upvalueIndex(2));
    lua.lua_pushboolean(L, @intFromBool(keys));
    lua.lua_copy(L, -1, lua.upvalueIndex(3));
    lua.pop(L, 2);
}

/// Pushes the keys of the page after the key at `after`, and loads it. Whether it is the last one.
/// Stack: +1.
fn pushPage(L: *lua.State, p: c_int, m: c_int, after: c_int) bool {
    flush.makeRoom(L);
    load.resolve(L, p, m);
    flush.flushIfListed(L, m);
    const entries_max = load.pageEntries();
    lua.lua_createtable(L, @intCast(entries_max), 0);
    const keys = lua.lua_gettop(L);
    const is_last = load.readPage(L, p, m, after, entries_max, keys);
    pending.settleKeys(L, keys);
    return is_last;
}

/// As lua_next: pops a key, pushes the next entry of the external table at `index`. 0 at the end.
export fn core_external_next(L: *lua.State, index: c_int) c_int {
    const p = lua.lua_absindex(L, index);
    const key = lua.lua_gettop(L);
    critical.enter(L);
    external.pushMeta(L, p);
    const m = key + 1;
    var flags = external.flagsOf(L, m);
    const is_begun = flags.iterated == external.evaluation_number;
    if (!is_begun or !flags.iterated_in_pages) {
        load.visit(L, p, m);
        flags = external.flagsOf(L, m);
        if (!is_begun and lua.typeAt(L, key) == .nil) begin(L, m, !flags.complete);
    }
    if (flags.complete and !(is_begun and flags.iterated_in_pages)) {
        critical.leave(L);
        external.pushSlot(L, m, .cache);
        lua.lua_pushvalue(L, key);
        while (lua.lua_next(L, m + 1) != 0) {
            if (events.isName(L, -2)) {
                lua.pop(L, 1);
                lua.lua_pushvalue(L, -1);
                if (lua.lua_rawget(L, p) == 0) {
                    lua.pop(L, 1);
                    continue;
                }
            }
            lua.lua_copy(L, -2, key);
            lua.lua_copy(L, -1, m);
            lua.lua_settop(L, m);
            return 1;
        }
        lua.lua_settop(L, key - 1);
        return 0;
    }
    const more = nextUncached(L, p, m, key);
    critical.leave(L);
    return more;
}

/// The cursor remembers the page that the last key came from: an array of P, the keys, the number of
/// the last key, whether it is the last page, and how often caches had been emptied at the first key.
fn nextUncached(L: *lua.State, p: c_int, m: c_int, key: c_int) c_int {
    external.push(L, Registry.cursor);
    const cursor = lua.lua_gettop(L);
    _ = lua.lua_rawgeti(L, cursor, 1);
    _ = lua.lua_rawgeti(L, cursor, 2);
    const keys = cursor + 2;
    _ = lua.lua_rawgeti(L, cursor, 3);
    var place = lua.lua_tointegerx(L, -1, null);
    _ = lua.lua_rawgeti(L, cursor, 4);
    var is_last = lua.lua_toboolean(L, -1) != 0;
    var is_known = lua.lua_rawequal(L, cursor + 1, p) != 0 and lua.typeAt(L, keys) == .table;
    if (is_known) {
        _ = lua.lua_rawgeti(L, keys, place);
        is_known = lua.typeAt(L, -1) != .nil and lua.lua_rawequal(L, -1, key) != 0;
    }
    lua.lua_settop(L, cursor + 4);
    if (!is_known) {
        const from_start = lua.typeAt(L, key) == .nil;
        lua.lua_pushinteger(L, if (from_start) external.emptied_count else -1);
        lua.lua_rawseti(L, cursor, 5);
        is_last = pushPage(L, p, m, key);
        lua.lua_copy(L, -1, keys);
        place = 0;
    }
    while (true) {
        lua.lua_settop(L, cursor + 4);
        place += 1;
        if (lua.lua_rawgeti(L, keys, place) == 0) {
            if (is_last) {
                _ = lua.lua_rawgeti(L, cursor, 5);
                noteComplete(L, m, lua.lua_tointegerx(L, -1, null));
                lua.lua_settop(L, key - 1);
                return 0;
            }
            lua.pop(L, 1);
            _ = lua.lua_rawgeti(L, keys, place - 1);
            is_last = pushPage(L, p, m, lua.lua_gettop(L));
            lua.lua_copy(L, -1, keys);
            place = 0;
            continue;
        }
        access.pushEntry(L, p, m, lua.lua_gettop(L));
        if (lua.typeAt(L, -1) != .nil) break;
    }
    const found = lua.lua_gettop(L) - 1;
    remember(L, cursor, p, keys, place, is_last);
    lua.lua_copy(L, found, key);
    lua.lua_copy(L, found + 1, m);
    lua.lua_settop(L, m);
    return 1;
}

fn remember(L: *lua.State, cursor: c_int, p: c_int, keys: c_int, place: lua.Integer, is_last: bool) void {
    lua.lua_pushvalue(L, p);
    lua.lua_rawseti(L, cursor, 1);
    lua.lua_pushvalue(L, keys);
    lua.lua_rawseti(L, cursor, 2);
    lua.lua_pushinteger(L, place);
    lua.lua_rawseti(L, cursor, 3);
    lua.lua_pushboolean(L, @intFromBool(is_last));
    lua.lua_rawseti(L, cursor, 4);
}
