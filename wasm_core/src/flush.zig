//! From the VM into the store: which entries were changed, and sending them. Order does not matter
//! within a flush, only the present state of what was changed: a counter that is written a million
//! times is sent once.

const std = @import("std");
const events = @import("events.zig");
const lua = @import("lua.zig");
const access = @import("access.zig");
const adopt = @import("adopt.zig");
const code = @import("code.zig");
const critical = @import("critical.zig");
const external = @import("external.zig");
const functions = @import("functions.zig");
const ids = @import("ids.zig");
const load = @import("load.zig");
const pending = @import("pending.zig");
const record = @import("record.zig");
const schemas = @import("schemas.zig");
const heap = @import("root").heap;
const Registry = external.Registry;

extern fn core_bytes_in_use(*lua.State) usize;
extern fn core_collect_quietly(*lua.State) void;

/// So many entries (of about 64 bytes) are kept in caches; the host says how many its memory has room
/// for.
pub var cache_entries_max: u32 = 8192;
/// What loading a page needs for each of its entries, which may be tables with tables inside, and for
/// what grows with them.
const room_bytes_each = 2048;
const room_bytes = 128 * 1024;
/// What Lua had in use after garbage was last collected for that.
var bytes_kept: usize = 0;

/// The entry at `key` of the table with M at `m` was changed. Stack: unchanged.
pub noinline fn markChanged(L: *lua.State, p: c_int, m: c_int, key: c_int) void {
    var flags = external.flagsOf(L, m);
    if (!flags.fresh) {
        external.pushSlot(L, m, .keys);
        if (lua.typeAt(L, -1) != .table) {
            lua.pop(L, 1);
            lua.lua_createtable(L, 0, 1);
            lua.lua_pushvalue(L, -1);
            external.setSlot(L, m, .keys);
        }
        lua.lua_pushvalue(L, key);
        lua.lua_pushboolean(L, 1);
        lua.lua_rawset(L, -3);
        lua.pop(L, 1);
    }
    if (!flags.listed) {
        enlist(L, p);
        flags.listed = true;
        external.setFlags(L, m, flags);
    }
}

/// Appends P to what is to be flushed. Its flags are the caller's to set. Stack: unchanged.
pub noinline fn enlist(L: *lua.State, index: c_int) void {
    const p = lua.lua_absindex(L, index);
    external.push(L, Registry.listed);
    lua.lua_pushvalue(L, p);
    lua.lua_rawseti(L, -2, external.listed_count + 1);
    external.listed_count += 1;
    lua.pop(L, 1);
}

/// The metatable of the table with M at `m` was changed. Stack: unchanged.
pub fn markMetatable(L: *lua.State, p: c_int, m: c_int) void {
    var flags = external.flagsOf(L, m);
    if (!flags.listed) enlist(L, p);
    flags.listed = true;
    flags.metatable_changed = true;
    external.setFlags(L, m, flags);
}

/// An entry whose key is the name of a metamethod stands in P itself as well. Stack: unchanged.
pub noinline fn keepEvent(L: *lua.State, p: c_int, key: c_int, value: c_int) void {
    lua.luaL_checkstack(L, 8, null);
    lua.lua_pushvalue(L, key);
    lua.lua_pushvalue(L, value);
    lua.lua_rawset(L, p);
    external.pushMeta(L, p);
    var flags = external.flagsOf(L, -1);
    if (!flags.events) {
        external.push(L, Registry.with_events);
        lua.lua_pushvalue(L, p);
        lua.lua_rawseti(L, -2, external.with_events_count + 1);
        external.with_events_count += 1;
        lua.pop(L, 1);
        flags.events = true;
        external.setFlags(L, -1, flags);
        external.pushSlot(L, -1, .cache);
        lua.lua_pushcclosure(L, access.index, 1);
        lua.lua_setfield(L, -2, "__index");
    }
    lua.pop(L, 1);
}

/// Sees what the program wrote over without `__newindex` noticing: see external.zig. Stack: unchanged.
pub fn noticeEvents(L: *lua.State) void {
    var number: lua.Integer = 1;
    while (number <= external.with_events_count) : (number += 1) {
        external.push(L, Registry.with_events);
        _ = lua.lua_rawgeti(L, -1, number);
        lua.remove(L, -2);
        noticeEventsOf(L, lua.lua_gettop(L));
        lua.pop(L, 1);
    }
}

pub noinline fn noticeEventsOf(L: *lua.State, p: c_int) void {
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 12, null);
    external.pushMeta(L, p);
    const m = top + 1;
    external.pushSlot(L, m, .cache);
    const c = top + 2;
    var is_spread = false;
    for (events.names) |name| {
        _ = lua.lua_pushstring(L, name.ptr);
        const key = top + 3;
        lua.lua_pushvalue(L, key);
        _ = lua.lua_rawget(L, p);
        lua.lua_pushvalue(L, key);
        _ = lua.lua_rawget(L, c);
        if (lua.lua_rawequal(L, -1, -2) == 0) {
            const value = top + 4;
            if (!record.isStorable(L, value)) adopt.adopt(L, p, key, value);
            lua.lua_pushvalue(L, key);
            lua.lua_pushvalue(L, value);
            lua.lua_rawset(L, c);
            markChanged(L, p, m, key);
            is_spread = true;
        }
        lua.lua_settop(L, c);
    }
    if (is_spread) events.spread(L, p);
    lua.lua_settop(L, top);
}

/// Before the store is asked about a table as a whole. Stack: unchanged.
pub fn flushIfListed(L: *lua.State, m: c_int) void {
    if (external.flagsOf(L, m).listed or external.with_events_count > 0) flushAll(L);
}

/// Sends all that was changed, in a section of its own. Where nothing can have been, it takes no memory
/// and next to no time.
pub fn flushNow(L: *lua.State) void {
    const is_idle = external.listed_count == 0 and external.with_events_count == 0 and
        !functions.have_cells and !critical.isDoomed();
    if (is_idle) return;
    critical.enter(L);
    flushAll(L);
    critical.leave(L);
}

/// Sends all that was changed. In a section, which is left by an error if an upvalue or a metamethod
/// has got a value that cannot be persisted. Stack: unchanged.
pub noinline fn flushAll(L: *lua.State) void {
    var batch = record.Batch.begin();
    lua.pushFunction(L, flushBody);
    lua.lua_pushlightuserdata(L, &batch);
    const status = lua.lua_pcallk(L, 1, 0, 0, 0, null);
    // What is in the batch counts as sent, also when an error came after it.
    batch.send(L);
    if (status == lua.ok) return functions.sweepIfDue(L);
    if (status != lua.err_run) critical.doom();
    _ = lua.lua_error(L);
}

/// Argument: the batch.
fn flushBody(L: *lua.State) callconv(.c) c_int {
    const batch: *record.Batch = @ptrCast(@alignCast(lua.lua_touserdata(L, 1).?));
    lua.luaL_checkstack(L, 60, null);
    if (external.with_events_count > 0) noticeEvents(L);
    functions.flushCells(L, batch);
    var number: lua.Integer = 1;
    // Flushing may find more to flush: the list grows meanwhile.
    while (number <= external.listed_count or functions.hasNew()) {
        while (number <= external.listed_count) : (number += 1) {
            const top = lua.lua_gettop(L);
            external.push(L, Registry.listed);
            if (lua.lua_rawgeti(L, -1, number) == table_type) flushTable(L, batch, top + 2);
            lua.lua_pushboolean(L, 0);
            lua.lua_rawseti(L, top + 1, number);
            lua.lua_settop(L, top);
        }
        functions.flushNew(L, batch);
    }
    external.listed_count = 0;
    return 0;
}

const table_type = @backingInt(lua.Type.table);

fn flushTable(L: *lua.State, batch: *record.Batch, p: c_int) void {
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 12, null);
    external.pushMeta(L, p);
    const m = top + 1;
    load.resolve(L, p, m);
    var flags = external.flagsOf(L, m);
    const id = external.integerSlot(L, m, .id);
    if (flags.fresh) batch.add(L, .new_table, id, 0, 0);
    if (flags.metatable_changed) {
        external.pushSlot(L, m, .metatable);
        const has_metatable = lua.lua_toboolean(L, -1) != 0;
        if (has_metatable) store(L, p, 0, top + 2);
        batch.add(L, .metatable, id, 0, if (has_metatable) top + 2 else 0);
        lua.pop(L, 1);
    }
    external.pushSlot(L, m, .cache);
    const c = top + 2;
    if (flags.fresh) {
        lua.lua_pushnil(L);
        while (lua.lua_next(L, c) != 0) : (lua.pop(L, 1)) {
            store(L, p, top + 3, top + 3);
            store(L, p, top + 3, top + 4);
            batch.add(L, .set, id, top + 3, top + 4);
        }
    } else {
        external.pushSlot(L, m, .keys);
        if (lua.typeAt(L, -1) == .table) flushKeys(L, batch, p, id, c);
    }
    lua.lua_pushboolean(L, 0);
    external.setSlot(L, m, .keys);
    flags = external.flagsOf(L, m);
    flags.fresh = false;
    flags.listed = false;
    flags.metatable_changed = false;
    external.setFlags(L, m, flags);
    lua.lua_settop(L, top);
}

/// The changed keys are the table at the top. Stack: anything above.
fn flushKeys(L: *lua.State, batch: *record.Batch, p: c_int, id: lua.Integer, c: c_int) void {
    const keys = lua.lua_gettop(L);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, keys) != 0) : (lua.pop(L, 1)) {
        if (lua.lua_toboolean(L, -1) == 0) continue;
        const key = keys + 1;
        lua.lua_pushvalue(L, key);
        if (lua.lua_rawget(L, c) != 0) {
            const value = lua.lua_gettop(L);
            store(L, p, key, value);
            batch.add(L, .set, id, key, value);
        } else {
            batch.add(L, .delete, id, key, 0);
        }
        lua.pop(L, 1);
    }
}

/// What got into a cache while memory ran out may not be storable yet.
fn store(L: *lua.State, p: c_int, key: c_int, value: c_int) void {
    if (!record.isStorable(L, value)) adopt.adopt(L, p, key, value);
}

/// Before more is loaded: empties the caches when they are too full, and collects garbage when memory is
/// short. In the middle of loading it would come too late: tables that grow are given room for what is
/// dead, too, and that in one piece. Stack: unchanged.
pub noinline fn makeRoom(L: *lua.State) void {
    const needed = room_bytes + load.pageEntries() * room_bytes_each;
    // Some of it must have been allocated since the last time, or nothing but collections would happen.
    bytes_kept = @min(bytes_kept, core_bytes_in_use(L));
    if (!heap.hasRoom(needed) and core_bytes_in_use(L) > bytes_kept + needed / 4) {
        core_collect_quietly(L);
        if (heap.capacity() < core_bytes_in_use(L) + needed) {
            emptyCaches(L);
            core_collect_quietly(L);
        }
        bytes_kept = core_bytes_in_use(L);
    }
    if (external.cached_count >= cache_entries_max) emptyCaches(L);
}

/// Flushes everything, and empties all caches but those in use. Stack: unchanged.
pub noinline fn emptyCaches(L: *lua.State) void {
    flushAll(L);
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 8, null);
    external.push(L, Registry.by_id);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 1) != 0) : (lua.pop(L, 1)) {
        external.pushMeta(L, top + 3);
        const flags = external.flagsOf(L, -1);
        lua.pop(L, 1);
        const is_iterated = flags.iterated == external.evaluation_number and !flags.iterated_in_pages;
        if (!is_iterated and !flags.events) external.emptyCache(L, top + 3);
    }
    lua.lua_settop(L, top);
    external.cached_count = 0;
    external.emptied_count += 1;
}

/// Forgets what is cached of a store that somebody else has changed. Nothing waits to be flushed.
/// Stack: unchanged.
pub fn forget(L: *lua.State) void {
    const top = lua.lua_gettop(L);
    ids.forget();
    critical.enter(L);
    dropCaches(L);
    schemas.forget(L);
    code.forget(L);
    critical.leave(L);
    // Only those that the program itself holds are left, and looked up again.
    functions.sweep(L);
    critical.enter(L);
    lua.lua_createtable(L, 0, 0);
    lua.lua_rawseti(L, lua.registry_index, Registry.roots);
    external.push(L, Registry.by_id);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 1) != 0) : (lua.pop(L, 1)) {
        external.pushMeta(L, top + 3);
        var flags = external.flagsOf(L, -1);
        flags.unresolved = false;
        external.setFlags(L, -1, flags);
        pending.wantMetatable(L, top + 3, pending.unknown_metatable);
        lua.pop(L, 1);
    }
    lua.lua_settop(L, top);
    functions.reloadCells(L);
    pending.settle(L);
    readMetatables(L);
    critical.leave(L);
    lua.lua_settop(L, top);
}

/// Loads what plain tables have as metatables. Stack: unchanged.
fn readMetatables(L: *lua.State) void {
    const top = lua.lua_gettop(L);
    // The table of all changes while some are loaded.
    lua.lua_createtable(L, 0, 0);
    external.push(L, Registry.by_id);
    lua.lua_pushnil(L);
    var count: lua.Integer = 0;
    while (lua.lua_next(L, top + 2) != 0) {
        external.pushMeta(L, -1);
        const is_wanted = external.flagsOf(L, -1).of_plain;
        lua.pop(L, 1);
        if (!is_wanted) {
            lua.pop(L, 1);
            continue;
        }
        count += 1;
        lua.lua_rawseti(L, top + 1, count);
    }
    while (count > 0) : (count -= 1) {
        _ = lua.lua_rawgeti(L, top + 1, count);
        load.readWhole(L, -1);
        lua.lua_settop(L, top + 2);
    }
    lua.lua_settop(L, top);
}

fn dropCaches(L: *lua.State) void {
    const top = lua.lua_gettop(L);
    external.push(L, Registry.by_id);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 1) != 0) : (lua.pop(L, 1)) {
        const p = top + 3;
        external.emptyCache(L, p);
        for (events.names) |name| {
            _ = lua.lua_pushstring(L, name.ptr);
            lua.lua_pushnil(L);
            lua.lua_rawset(L, p);
        }
        external.pushMeta(L, p);
        var flags = external.flagsOf(L, -1);
        flags.events = false;
        external.setFlags(L, -1, flags);
        external.pushSlot(L, -1, .cache);
        lua.lua_setfield(L, top + 4, "__index");
        external.setIntegerSlot(L, -1, .border, -1);
        lua.lua_pushboolean(L, 0);
        external.setSlot(L, top + 4, .metatable);
        lua.pop(L, 1);
    }
    lua.lua_createtable(L, 0, 0);
    lua.lua_rawseti(L, lua.registry_index, Registry.with_events);
    external.with_events_count = 0;
    external.cached_count = 0;
    external.emptied_count += 1;
    lua.lua_settop(L, top);
}

/// An evaluation begins. Stack: unchanged.
pub fn begin() void {
    external.evaluation_number +%= 1;
    if (external.evaluation_number == 0) external.evaluation_number = 1;
}
