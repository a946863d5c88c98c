//! What has to be looked up besides, when something is read from the store: functions, and metatables.
//! It is noted while a reply is read, and settled afterwards from a queue: no chain of references,
//! however long, takes stack.

const lua = @import("lua.zig");
const external = @import("external.zig");
const functions = @import("functions.zig");
const load = @import("load.zig");
const Request = @import("storecall.zig").Request;
const Registry = external.Registry;

pub const unknown_metatable: lua.Integer = -1;

/// Places in the queue of what is pending, `pending_width` each: what, and four values.
const pending_width = 5;
pub const Kind = enum(u8) {
    /// A table; its metatable's id.
    metatable = 1,
    /// A table; a key; the id of the function that is the value.
    value = 2,
    /// A table; the id of the function that is the key; the id of the function that is the value, or 0;
    /// the value otherwise.
    key = 3,
    /// A cell; nothing; the id of the function that is its value.
    cell = 4,
    /// A plain table; a key; the id of the function that is the value.
    plain = 5,
};
var pending_count: lua.Integer = 0;
/// Two places each, counted down from -1: a table, and its metatable.
var attachment_count: lua.Integer = 0;

noinline fn pushPlace(L: *lua.State, kind: Kind) lua.Integer {
    lua.luaL_checkstack(L, 8, null);
    external.push(L, Registry.pending);
    lua.lua_pushinteger(L, @backingInt(kind));
    const first = pending_count * pending_width + 1;
    lua.lua_rawseti(L, -2, first);
    return first;
}

/// The table at `index` has this metatable. Stack: unchanged.
pub fn wantMetatable(L: *lua.State, index: c_int, metatable_id: lua.Integer) void {
    const p = lua.lua_absindex(L, index);
    const first = pushPlace(L, .metatable);
    lua.lua_pushvalue(L, p);
    lua.lua_rawseti(L, -2, first + 1);
    lua.lua_pushinteger(L, metatable_id);
    lua.lua_rawseti(L, -2, first + 2);
    lua.pop(L, 1);
    pending_count += 1;
}

/// The cell at `index` has this function as its value. Stack: unchanged.
pub fn wantCellFunction(L: *lua.State, index: c_int, function_id: lua.Integer) void {
    const cell = lua.lua_absindex(L, index);
    const first = pushPlace(L, .cell);
    lua.lua_pushvalue(L, cell);
    lua.lua_rawseti(L, -2, first + 1);
    lua.lua_pushinteger(L, function_id);
    lua.lua_rawseti(L, -2, first + 3);
    lua.pop(L, 1);
    pending_count += 1;
}

/// Looks up what is pending. Stack: unchanged.
pub noinline fn settle(L: *lua.State) void {
    while (pending_count > 0 or attachment_count > 0) {
        if (pending_count == 0) {
            settleAttachment(L);
            continue;
        }
        const top = lua.lua_gettop(L);
        lua.luaL_checkstack(L, 12, null);
        const first = (pending_count - 1) * pending_width + 1;
        external.push(L, Registry.pending);
        for (0..pending_width) |offset| {
            _ = lua.lua_rawgeti(L, top + 1, first + @as(lua.Integer, @intCast(offset)));
        }
        for (0..pending_width) |offset| {
            lua.lua_pushnil(L);
            lua.lua_rawseti(L, top + 1, first + @as(lua.Integer, @intCast(offset)));
        }
        pending_count -= 1;
        const kind: Kind = @fromBackingInt(@intCast(lua.lua_tointegerx(L, top + 2, null)));
        const object = top + 3;
        switch (kind) {
            .metatable => settleMetatable(L, object, lua.lua_tointegerx(L, top + 4, null)),
            .value => {
                functions.pushShell(L, lua.lua_tointegerx(L, top + 5, null));
                external.pushMeta(L, object);
                load.put(L, object, -1, top + 4, -2);
            },
            .key => {
                functions.pushShell(L, lua.lua_tointegerx(L, top + 4, null));
                const key = lua.lua_gettop(L);
                const value_function = lua.lua_tointegerx(L, top + 5, null);
                if (value_function != 0) {
                    functions.pushShell(L, value_function);
                } else {
                    lua.lua_pushvalue(L, top + 6);
                }
                const value = lua.lua_gettop(L);
                external.pushMeta(L, object);
                load.put(L, object, -1, key, value);
            },
            .plain => {
                lua.lua_pushvalue(L, top + 4);
                functions.pushShell(L, lua.lua_tointegerx(L, top + 5, null));
                lua.lua_rawset(L, object);
            },
            .cell => {
                functions.pushShell(L, lua.lua_tointegerx(L, top + 5, null));
                functions.fillCell(L, object);
            },
        }
        lua.lua_settop(L, top);
    }
}

fn settleMetatable(L: *lua.State, p: c_int, noted: lua.Integer) void {
    var id = noted;
    if (id == unknown_metatable) {
        var request: Request = .{};
        request.int(i64, external.idOf(L, p));
        var reply = request.send(L, .table_info);
        id = if (reply.int(u8) != 0) reply.int(i64) else 0;
    }
    if (id == 0) return;
    external.pushById(L, id, unknown_metatable);
    const metatable = lua.lua_gettop(L);
    external.pushMeta(L, metatable);
    // All of it, since Lua looks for metamethods without asking.
    if (!external.flagsOf(L, -1).complete) load.readAll(L, metatable, lua.lua_gettop(L));
    wantAttachment(L, p, metatable);
}

/// The table gets its metatable when nothing else is pending: functions among its entries may be, and
/// which metamethods there are is looked at only then. Stack: unchanged.
fn wantAttachment(L: *lua.State, p: c_int, metatable: c_int) void {
    external.push(L, Registry.pending);
    lua.lua_pushvalue(L, p);
    lua.lua_rawseti(L, -2, -2 * attachment_count - 1);
    lua.lua_pushvalue(L, metatable);
    lua.lua_rawseti(L, -2, -2 * attachment_count - 2);
    lua.pop(L, 1);
    attachment_count += 1;
}

/// Attaches the last of the metatables that wait for it. Stack: unchanged.
fn settleAttachment(L: *lua.State) void {
    const top = lua.lua_gettop(L);
    attachment_count -= 1;
    const first = -2 * attachment_count - 1;
    external.push(L, Registry.pending);
    for ([_]lua.Integer{ first, first - 1 }) |place| {
        _ = lua.lua_rawgeti(L, top + 1, place);
        lua.lua_pushnil(L);
        lua.lua_rawseti(L, top + 1, place);
    }
    external.pushMeta(L, top + 2);
    external.attachMetatable(L, -1, top + 3);
    lua.lua_settop(L, top);
}

/// The entry of a table at `key` has this function as its value. Stack: unchanged.
pub fn noteValue(L: *lua.State, kind: Kind, p: c_int, key: c_int, function_id: lua.Integer) void {
    const first = pushPlace(L, kind);
    lua.lua_pushvalue(L, p);
    lua.lua_rawseti(L, -2, first + 1);
    lua.lua_pushvalue(L, key);
    lua.lua_rawseti(L, -2, first + 2);
    lua.lua_pushinteger(L, function_id);
    lua.lua_rawseti(L, -2, first + 3);
    lua.pop(L, 1);
    pending_count += 1;
}

/// An entry has this function as its key; and as its value another one, or what is at `value`. Stack: unchanged.
pub fn noteKey(
    L: *lua.State,
    p: c_int,
    key_function: lua.Integer,
    value_function: lua.Integer,
    value: c_int,
) void {
    const first = pushPlace(L, .key);
    const queue = lua.lua_gettop(L);
    lua.lua_pushvalue(L, p);
    lua.lua_rawseti(L, queue, first + 1);
    lua.lua_pushinteger(L, key_function);
    lua.lua_rawseti(L, queue, first + 2);
    lua.lua_pushinteger(L, value_function);
    lua.lua_rawseti(L, queue, first + 3);
    lua.lua_pushvalue(L, value);
    lua.lua_rawseti(L, queue, first + 4);
    lua.pop(L, 1);
    pending_count += 1;
}

/// In the array of keys that was filled last, the first of the places that have ids of functions instead
/// of the functions, and how many: functions stand one after the other in the store's order.
pub var function_keys_first: lua.Integer = 0;
pub var function_keys_count: lua.Integer = 0;

/// Settles, and puts the functions into the array of keys that `readPage` filled. Stack: unchanged.
pub fn settleKeys(L: *lua.State, keys: c_int) void {
    var place = function_keys_first;
    const end = place + function_keys_count;
    settle(L);
    const top = lua.lua_gettop(L);
    while (place < end) : (place += 1) {
        _ = lua.lua_rawgeti(L, keys, place);
        functions.pushShell(L, lua.lua_tointegerx(L, -1, null));
        lua.lua_rawseti(L, keys, place);
        lua.lua_settop(L, top);
    }
    settle(L);
}
