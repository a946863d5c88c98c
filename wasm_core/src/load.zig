//! From the store into the VM: pages of entries, single entries, and what they refer to.
//!
//! A reply is read to its end before anything else is asked: what has to be asked besides waits
//! (pending.zig).

const lua = @import("lua.zig");
const events = @import("events.zig");
const external = @import("external.zig");
const flush = @import("flush.zig");
const functions = @import("functions.zig");
const pending = @import("pending.zig");
const permanents = @import("permanents.zig");
const record = @import("record.zig");
const schemas = @import("schemas.zig");
const Reply = @import("storecall.zig").Reply;
const Request = @import("storecall.zig").Request;

/// The first look at a table takes so many entries.
pub const first_page_entries = 256;
/// Going through a table takes so many at once.
const page_entries_max = 512;

/// One page takes at most about a quarter of what caches may take: its entries may all be tables.
pub fn pageEntries() u32 {
    return @max(16, @min(page_entries_max, flush.cache_entries_max / 64));
}

/// Loads all of the external table at `index`: what Lua looks up in a metatable it looks up without asking.
/// Stack: unchanged.
pub noinline fn readWhole(L: *lua.State, index: c_int) void {
    const p = lua.lua_absindex(L, index);
    external.pushMeta(L, p);
    const m = lua.lua_gettop(L);
    resolve(L, p, m);
    if (!external.flagsOf(L, m).complete) {
        readAll(L, p, m);
        pending.settle(L);
    }
    lua.pop(L, 1);
}

/// All of the table, page by page. Not settled, but for the keys. Stack: unchanged.
pub fn readAll(L: *lua.State, p: c_int, m: c_int) void {
    const top = lua.lua_gettop(L);
    lua.lua_createtable(L, 0, 0);
    lua.lua_pushnil(L);
    while (!readPage(L, p, m, top + 2, pageEntries(), top + 1)) {
        pending.settleKeys(L, top + 1);
        const count: lua.Integer = @intCast(lua.lua_rawlen(L, top + 1));
        _ = lua.lua_rawgeti(L, top + 1, count);
        lua.lua_copy(L, -1, top + 2);
        lua.lua_settop(L, top + 2);
    }
    var flags = external.flagsOf(L, m);
    flags.complete = true;
    flags.visited = true;
    external.setFlags(L, m, flags);
    lua.lua_settop(L, top);
}

/// Asks the store what it knows of a root: its metatable, and its id if that is not known, creating
/// the root. Stack: unchanged.
pub noinline fn resolve(L: *lua.State, p: c_int, m: c_int) void {
    var flags = external.flagsOf(L, m);
    if (!flags.unresolved) return;
    flags.unresolved = false;
    external.setFlags(L, m, flags);
    if (external.integerSlot(L, m, .id) != 0) {
        pending.wantMetatable(L, p, pending.unknown_metatable);
        return pending.settle(L);
    }
    external.pushSlot(L, m, .key);
    var request: Request = .{};
    request.text(lua.stringAt(L, -1));
    lua.pop(L, 1);
    request.int(u8, 1);
    var reply = request.send(L, .root);
    const id = reply.int(i64);
    external.setIntegerSlot(L, m, .id, id);
    external.remember(L, p, id);
    const metatable = schemas.metatableId(reply.int(i64));
    if (metatable != 0) pending.wantMetatable(L, p, metatable);
    pending.settle(L);
}

/// The first look at a table: its beginning, which is all of it if it is small. Stack: unchanged.
pub noinline fn visit(L: *lua.State, p: c_int, m: c_int) void {
    resolve(L, p, m);
    var flags = external.flagsOf(L, m);
    if (flags.visited or flags.complete) return;
    flags.visited = true;
    external.setFlags(L, m, flags);
    lua.lua_pushnil(L);
    const complete = readPage(L, p, m, lua.lua_gettop(L), @min(first_page_entries, pageEntries()), 0);
    lua.pop(L, 1);
    if (complete) {
        flags = external.flagsOf(L, m);
        flags.complete = true;
        external.setFlags(L, m, flags);
    }
    pending.settle(L);
}

/// Loads the page that follows the key at `after` (nil: the first) and appends its keys to the array
/// at `keys`, if that is not 0. Whether it is the last page. Not settled. Stack: unchanged.
pub noinline fn readPage(L: *lua.State, p: c_int, m: c_int, after: c_int, entries_max: u32, keys: c_int) bool {
    lua.luaL_checkstack(L, 16, null);
    var request: Request = .{};
    request.int(i64, external.integerSlot(L, m, .id));
    if (lua.typeAt(L, after) == .nil) {
        request.int(u8, 0);
    } else {
        request.int(u8, 1);
        record.writeValue(L, &request, after);
    }
    request.int(u32, entries_max);
    var reply = request.send(L, .page);
    const complete = reply.int(u8) != 0;
    readEntries(L, &reply, p, m, keys);
    readNested(L, &reply);
    return complete;
}

/// u32 count, pairs. Stack: unchanged.
noinline fn readEntries(L: *lua.State, reply: *Reply, p: c_int, m: c_int, keys: c_int) void {
    const count = reply.int(u32);
    var place: lua.Integer = 0;
    if (keys != 0) {
        place = @intCast(lua.lua_rawlen(L, keys));
        pending.function_keys_count = 0;
    }
    for (0..count) |_| {
        const top = lua.lua_gettop(L);
        const key_function = pushValue(L, reply);
        const value_function = pushValue(L, reply);
        if (key_function != 0) {
            pending.noteKey(L, p, key_function, value_function, top + 2);
            if (keys != 0) {
                // Stands for the function until `pending.settleKeys`.
                place += 1;
                lua.lua_pushinteger(L, key_function);
                lua.lua_rawseti(L, keys, place);
                if (pending.function_keys_count == 0) pending.function_keys_first = place;
                pending.function_keys_count += 1;
            }
        } else {
            notePath(L, p, top + 1, top + 2);
            if (value_function != 0) {
                pending.noteValue(L, .value, p, top + 1, value_function);
            } else {
                put(L, p, m, top + 1, top + 2);
            }
            if (keys != 0) {
                place += 1;
                lua.lua_pushvalue(L, top + 1);
                lua.lua_rawseti(L, keys, place);
            }
        }
        lua.lua_settop(L, top);
    }
}

/// The nested section: small tables that the entries refer to. Stack: unchanged.
pub noinline fn readNested(L: *lua.State, reply: *Reply) void {
    const count = reply.int(u32);
    for (0..count) |_| {
        const top = lua.lua_gettop(L);
        const id = reply.int(i64);
        const metatable = reply.int(i64);
        const complete = reply.int(u8) != 0;
        external.pushById(L, id, metatable);
        external.pushMeta(L, -1);
        var flags = external.flagsOf(L, top + 2);
        readEntries(L, reply, top + 1, top + 2, 0);
        if (!flags.complete) {
            flags.complete = complete;
            flags.visited = true;
            external.setFlags(L, top + 2, flags);
        }
        lua.lua_settop(L, top);
    }
}

/// Pushes the entry at `key`, nil if the store has none, and remembers which. Stack: +1.
pub noinline fn pushEntry(L: *lua.State, p: c_int, m: c_int, key: c_int) void {
    lua.luaL_checkstack(L, 16, null);
    var request: Request = .{};
    request.int(i64, external.integerSlot(L, m, .id));
    record.writeValue(L, &request, key);
    var reply = request.send(L, .get);
    const function_id = pushValue(L, &reply);
    const value = lua.lua_gettop(L);
    readNested(L, &reply);
    pending.settle(L);
    if (function_id != 0) {
        functions.pushShell(L, function_id);
        lua.lua_copy(L, -1, value);
        lua.lua_settop(L, value);
        pending.settle(L);
    }
    if (lua.typeAt(L, value) == .nil) {
        noteAbsent(L, m, key);
    } else {
        notePath(L, p, key, value);
        put(L, p, m, key, value);
    }
}

fn noteAbsent(L: *lua.State, m: c_int, key: c_int) void {
    external.pushSlot(L, m, .keys);
    if (lua.typeAt(L, -1) != .table) {
        lua.pop(L, 1);
        lua.lua_createtable(L, 0, 1);
        lua.lua_pushvalue(L, -1);
        external.setSlot(L, m, .keys);
    }
    lua.lua_pushvalue(L, key);
    lua.lua_pushboolean(L, 0);
    lua.lua_rawset(L, -3);
    lua.pop(L, 1);
    external.cached_count += 1;
}

/// Puts an entry of the store into the cache, unless the program has changed it. Stack: unchanged.
pub noinline fn put(L: *lua.State, p: c_int, meta: c_int, key: c_int, value: c_int) void {
    const m = lua.lua_absindex(L, meta);
    const v = lua.lua_absindex(L, value);
    external.pushSlot(L, m, .keys);
    if (lua.typeAt(L, -1) == .table) {
        lua.lua_pushvalue(L, key);
        if (lua.lua_rawget(L, -2) != 0 and lua.lua_toboolean(L, -1) != 0) return lua.pop(L, 2);
        lua.pop(L, 1);
    }
    lua.pop(L, 1);
    external.pushSlot(L, m, .cache);
    lua.lua_pushvalue(L, key);
    lua.lua_pushvalue(L, v);
    lua.lua_rawset(L, -3);
    lua.pop(L, 1);
    external.cached_count += 1;
    if (events.isName(L, key)) flush.keepEvent(L, p, key, v);
}

/// The same for one that was not found in a table: it is called by the string at `name`. Stack: unchanged.
pub noinline fn noteName(L: *lua.State, name: c_int, value: c_int) void {
    external.pushMeta(L, value);
    external.pushSlot(L, -1, .parent);
    external.pushSlot(L, -2, .key);
    const named = lua.lua_toboolean(L, -2) != 0 or lua.typeAt(L, -1) != .boolean;
    lua.pop(L, 2);
    if (!named) {
        lua.lua_pushvalue(L, name);
        external.setSlot(L, -2, .key);
    }
    lua.pop(L, 1);
}

/// An external table at `value` that has no name yet is called by this table and key. Stack: unchanged.
pub noinline fn notePath(L: *lua.State, p: c_int, key: c_int, value: c_int) void {
    if (lua.typeAt(L, value) != .table or !external.is(L, value)) return;
    external.pushMeta(L, value);
    external.pushSlot(L, -1, .parent);
    external.pushSlot(L, -2, .key);
    const named = lua.lua_toboolean(L, -2) != 0 or lua.typeAt(L, -1) != .boolean;
    lua.pop(L, 2);
    if (!named) {
        const m = lua.lua_gettop(L);
        lua.lua_pushvalue(L, p);
        external.setSlot(L, m, .parent);
        lua.lua_pushvalue(L, key);
        external.setSlot(L, m, .key);
    }
    lua.pop(L, 1);
}

/// Pushes the next value of a reply; for a function nil, and returns its id. Stack: +1.
pub noinline fn pushValue(L: *lua.State, reply: *Reply) lua.Integer {
    switch (reply.tag()) {
        .boolean => lua.lua_pushboolean(L, reply.int(u8)),
        .integer => lua.lua_pushinteger(L, reply.int(i64)),
        .float => lua.lua_pushnumber(L, @bitCast(reply.int(u64))),
        .string => reply.pushText(L),
        .function => {
            lua.lua_pushnil(L);
            return reply.int(i64);
        },
        .permanent => {
            reply.pushText(L);
            permanents.pushNamed(L);
        },
        .external_table => {
            const id = reply.int(i64);
            external.pushById(L, id, reply.int(i64));
        },
        .table => {
            const count = reply.int(u32);
            lua.luaL_checkstack(L, 8, null);
            // Of longer ones nobody said which part is an array.
            lua.lua_createtable(L, 0, if (count > 8) 0 else @intCast(count));
            readTable(L, reply, count);
        },
        else => lua.lua_pushnil(L),
    }
    return 0;
}

/// That many pairs become entries of the plain table at the top. The keys are no functions.
/// Stack: unchanged.
pub noinline fn readTable(L: *lua.State, reply: *Reply, count: u32) void {
    const table = lua.lua_gettop(L);
    for (0..count) |_| {
        _ = pushValue(L, reply);
        const function_id = pushValue(L, reply);
        if (function_id != 0) {
            pending.noteValue(L, .plain, table, table + 1, function_id);
        } else {
            lua.lua_rawset(L, table);
        }
        lua.lua_settop(L, table);
    }
}
