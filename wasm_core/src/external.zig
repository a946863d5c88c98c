//! External tables: what they are made of inside the VM. An external table P is a table of the
//! program, emptied; its hidden metatable M has `__index` = C, a plain table that caches entries of
//! the store. Reading what the cache has costs what a read through any `__index` table costs. What it
//! does not have falls through to the metatable that all caches share, and is loaded (load.zig).
//! Writes reach `__newindex` (access.zig), since P itself stays empty.
//!
//! One exception: entries whose keys are names of metamethods stand in P as well, because Lua looks
//! for them there, without asking anybody, when P is the metatable of something. Programs may change
//! those without `__newindex` noticing: of them P has the truth, and C what was last noticed (see
//! flush.zig). M of such a P has a function as `__index`, which knows that. (events.zig has those names.)

const lua = @import("lua.zig");
const access = @import("access.zig");
const events = @import("events.zig");
const functions = @import("functions.zig");
const iterate = @import("iterate.zig");
const pending = @import("pending.zig");
const schemas = @import("schemas.zig");

pub extern fn core_is_external(*lua.State, c_int) c_int;
pub extern fn core_swap_contents(*lua.State, c_int, c_int) void;
extern fn core_push_copy(*lua.State, c_int) void;
extern var core_external_marker: ?*const anyopaque;

/// Places of the array part of M; all are always set, so it stays an array.
pub const Slot = enum(u8) {
    /// Integer. 0: of a root that the store was not asked for yet.
    id = 1,
    /// A table of keys, or false: true for a key whose entry was changed and not flushed yet, false
    /// for one of which is known that the store has no entry.
    keys = 2,
    /// The metatable that the program sees, or false.
    metatable = 3,
    /// Integer, see `Flags`.
    flags = 4,
    /// Integer: the greatest integer key that is at least 1, or 0 if there is none; -1: unknown.
    border = 5,
    /// For messages: the external table this one was first found in, or false for a root; and the key
    /// in it, or the root's name.
    parent = 6,
    key = 7,
    /// C.
    cache = 8,
    /// What it is expected to be by schemas: false, an integer or a table (schemas.zig).
    expected = 9,
};

pub const Flags = packed struct(u32) {
    /// All entries are in the cache.
    complete: bool = false,
    /// The store does not know the table yet: all that is in the cache is to be flushed.
    fresh: bool = false,
    /// Is in the list of what is to be flushed.
    listed: bool = false,
    metatable_changed: bool = false,
    /// The beginning was loaded once; from now on single entries are.
    visited: bool = false,
    /// A root of which the VM knows the name only, or name and id: the store is asked about its
    /// metatable, and its id, when something is wanted of it.
    unresolved: bool = false,
    /// Has names of metamethods as keys, and stands in the list of those.
    events: bool = false,
    /// Is or was the metatable of a plain table, so all of it has to be here.
    of_plain: bool = false,
    /// See `iterated`.
    iterated_in_pages: bool = false,
    padding: u7 = 0,
    /// The evaluation in which the program last went through the table with `next`, either in the cache or
    /// in pages: to the end of it always so, for the order is another one. A cache must not be emptied
    /// in the evaluation in which it is gone through.
    iterated: u16 = 0,
};

/// Places in the registry's array part, behind Lua's own.
pub const Registry = struct {
    /// id -> P, values weak.
    pub const by_id: lua.Integer = 4;
    /// What is to be flushed: an array of P.
    pub const listed: lua.Integer = 5;
    /// name -> P.
    pub const roots: lua.Integer = 6;
    /// The metatable of the hidden metatables: internals.c knows external tables by it.
    pub const marker: lua.Integer = 7;
    /// Of `next` on a table that is not in the cache: the keys of the last page (iterate.zig).
    pub const cursor: lua.Integer = 8;
    /// Those external tables that have names of metamethods as keys: an array of P.
    pub const with_events: lua.Integer = 9;
    /// Persisted functions: id -> function, values weak; function -> id, keys weak.
    pub const functions: lua.Integer = 10;
    pub const function_ids: lua.Integer = 11;
    /// id -> cell. Values are weak while cells are swept (functions.zig), and only then: what a function
    /// has left in an upvalue is flushed also when the function is gone.
    pub const cells: lua.Integer = 12;
    /// upvalue -> cell, keys weak: a cell lives as long as its upvalue, whoever uses that.
    pub const cells_of_upvalues: lua.Integer = 13;
    /// function -> array of its cells, keys weak.
    pub const cells_of: lua.Integer = 14;
    /// name of a metamethod -> the function by which all M call it.
    pub const event_calls: lua.Integer = 15;
    /// Functions to be stored: an array.
    pub const new_functions: lua.Integer = 16;
    /// value -> name and name -> value.
    pub const permanent_names: lua.Integer = 17;
    pub const permanents: lua.Integer = 18;
    /// What is to be looked up before the program goes on (pending.zig).
    pub const pending: lua.Integer = 19;
    /// What the metatables M, and those of caches, are copied from.
    pub const meta_model: lua.Integer = 20;
    pub const cache_meta_model: lua.Integer = 21;
    /// Name of a function of the prelude -> the function, as far as they are loaded (prelude.zig).
    pub const prelude: lua.Integer = 22;
    /// Number of a schema -> what the prelude knows of it.
    pub const shapes: lua.Integer = 23;
    pub const last = 23;
};

/// How many tables wait to be flushed, and how many have names of metamethods as keys.
pub var listed_count: lua.Integer = 0;
pub var with_events_count: lua.Integer = 0;
/// What the caches hold since they were emptied, counted in entries.
pub var cached_count: u32 = 0;
/// What an external table takes itself, counted in entries: P, M, C and its metatable.
pub const entries_of_table = 8;
/// How often caches were emptied.
pub var emptied_count: lua.Integer = 0;
/// The number of the evaluation, never 0; it may come around again.
pub var evaluation_number: u16 = 1;

/// Creates what external tables share. Stack: unchanged.
pub fn open(L: *lua.State) void {
    var index: lua.Integer = Registry.by_id;
    while (index <= Registry.last) : (index += 1) {
        lua.lua_createtable(L, 0, 0);
        lua.lua_rawseti(L, lua.registry_index, index);
    }
    for ([_]lua.Integer{ Registry.by_id, Registry.functions }) |place| setMode(L, place, "v");
    for ([_]lua.Integer{ Registry.function_ids, Registry.cells_of, Registry.cells_of_upvalues }) |place| {
        setMode(L, place, "k");
    }
    functions.open(L);
    push(L, Registry.marker);
    core_external_marker = lua.lua_topointer(L, -1);
    makeModels(L);
    lua.pop(L, 1);
}

/// The marker is at the top. Stack: unchanged.
fn makeModels(L: *lua.State) void {
    const top = lua.lua_gettop(L);
    lua.lua_createtable(L, 9, 4);
    const m = top + 1;
    for ([_]Slot{ .id, .keys, .metatable, .flags, .border, .parent, .key, .cache, .expected }) |slot| {
        lua.lua_pushboolean(L, 0);
        setSlot(L, m, slot);
    }
    setIntegerSlot(L, m, .border, -1);
    lua.lua_pushboolean(L, 0);
    lua.lua_setfield(L, m, "__index");
    lua.pushFunction(L, access.assign);
    lua.lua_setfield(L, m, "__newindex");
    lua.pushFunction(L, access.lengthOf);
    lua.lua_setfield(L, m, "__len");
    lua.pushFunction(L, iterate.pairs);
    lua.lua_setfield(L, m, "__pairs");
    lua.lua_pushvalue(L, top);
    _ = lua.lua_setmetatable(L, m);
    lua.lua_rawseti(L, lua.registry_index, Registry.meta_model);
    lua.lua_createtable(L, 1, 1);
    lua.lua_pushboolean(L, 0);
    lua.lua_rawseti(L, -2, 1);
    lua.pushFunction(L, access.load);
    lua.lua_setfield(L, -2, "__index");
    lua.lua_rawseti(L, lua.registry_index, Registry.cache_meta_model);
}

fn setMode(L: *lua.State, place: lua.Integer, mode: [*:0]const u8) void {
    push(L, place);
    lua.lua_createtable(L, 0, 1);
    _ = lua.lua_pushstring(L, mode);
    lua.lua_setfield(L, -2, "__mode");
    _ = lua.lua_setmetatable(L, -2);
    lua.pop(L, 1);
}

/// Pushes what the registry has at a place. Stack: +1.
pub noinline fn push(L: *lua.State, place: lua.Integer) void {
    _ = lua.lua_rawgeti(L, lua.registry_index, place);
}

pub fn is(L: *lua.State, index: c_int) bool {
    return core_is_external(L, index) != 0;
}

/// Pushes M of the external table at `index`. Stack: +1.
pub noinline fn pushMeta(L: *lua.State, index: c_int) void {
    _ = lua.lua_getmetatable(L, index);
}

/// Pushes a slot of M. Stack: +1.
pub noinline fn pushSlot(L: *lua.State, meta: c_int, slot: Slot) void {
    _ = lua.lua_rawgeti(L, meta, @backingInt(slot));
}

/// Sets a slot of M to the value at the top. Stack: -1.
pub noinline fn setSlot(L: *lua.State, meta: c_int, slot: Slot) void {
    lua.lua_rawseti(L, meta, @backingInt(slot));
}

pub noinline fn integerSlot(L: *lua.State, meta: c_int, slot: Slot) lua.Integer {
    pushSlot(L, meta, slot);
    defer lua.pop(L, 1);
    return lua.lua_tointegerx(L, -1, null);
}

pub noinline fn setIntegerSlot(L: *lua.State, meta: c_int, slot: Slot, value: lua.Integer) void {
    const absolute = lua.lua_absindex(L, meta);
    lua.lua_pushinteger(L, value);
    setSlot(L, absolute, slot);
}

pub noinline fn flagsOf(L: *lua.State, meta: c_int) Flags {
    return @bitCast(@as(u32, @intCast(integerSlot(L, meta, .flags))));
}

pub noinline fn setFlags(L: *lua.State, meta: c_int, flags: Flags) void {
    setIntegerSlot(L, meta, .flags, @as(u32, @bitCast(flags)));
}

/// Of the external table at `index`. Stack: unchanged.
pub noinline fn idOf(L: *lua.State, index: c_int) lua.Integer {
    pushMeta(L, index);
    defer lua.pop(L, 1);
    return integerSlot(L, -1, .id);
}

/// Pushes P, of a cache at `index`. Stack: +1.
pub noinline fn pushOwner(L: *lua.State, index: c_int) void {
    _ = lua.lua_getmetatable(L, index);
    _ = lua.lua_rawgeti(L, -1, 1);
    lua.remove(L, -2);
}

/// Makes the table at `table` an external one, with its entries in the cache. Nothing is raised after
/// the first change. The entries themselves stay as they are. Stack: unchanged.
pub noinline fn make(L: *lua.State, table: c_int, id: lua.Integer, flags: Flags) void {
    const p = lua.lua_absindex(L, table);
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 12, null);
    const has_metatable = lua.lua_getmetatable(L, p) != 0;
    if (!has_metatable) lua.lua_pushboolean(L, 0);
    const program_metatable = top + 1;
    lua.lua_createtable(L, 0, 0);
    const c = top + 2;
    push(L, Registry.meta_model);
    core_push_copy(L, -1);
    const m = top + 4;
    lua.lua_pushinteger(L, id);
    setSlot(L, m, .id);
    lua.lua_pushvalue(L, program_metatable);
    setSlot(L, m, .metatable);
    setFlags(L, m, flags);
    lua.lua_pushvalue(L, c);
    setSlot(L, m, .cache);
    lua.lua_pushvalue(L, c);
    lua.lua_setfield(L, m, "__index");
    // Nothing is put into the cache itself: the program may be going through the table right now.
    push(L, Registry.cache_meta_model);
    core_push_copy(L, -1);
    lua.lua_pushvalue(L, p);
    lua.lua_rawseti(L, -2, 1);
    _ = lua.lua_setmetatable(L, c);
    if (has_metatable) events.fill(L, m, program_metatable);
    core_swap_contents(L, p, c);
    lua.lua_pushvalue(L, m);
    _ = lua.lua_setmetatable(L, p);
    if (id != 0) remember(L, p, id);
    cached_count += entries_of_table;
    lua.lua_settop(L, top);
}

/// P is known by its id. Stack: unchanged.
pub noinline fn remember(L: *lua.State, p: c_int, id: lua.Integer) void {
    const absolute = lua.lua_absindex(L, p);
    push(L, Registry.by_id);
    lua.lua_pushvalue(L, absolute);
    lua.lua_rawseti(L, -2, id);
    lua.pop(L, 1);
}

/// Pushes a new, empty external table. Stack: +1.
pub noinline fn pushNew(L: *lua.State, id: lua.Integer, flags: Flags) void {
    lua.lua_createtable(L, 0, 0);
    make(L, -1, id, flags);
}

/// Pushes the external table with this id: the one that the VM has, or a new one, whose metatable is
/// looked up by `pending.settle`. What the host said of that: 0 if it has none, `pending.unknown_metatable`
/// if nobody said; with what schemas expect of it. Stack: +1.
pub noinline fn pushById(L: *lua.State, id: lua.Integer, said: lua.Integer) void {
    lua.luaL_checkstack(L, 6, null);
    push(L, Registry.by_id);
    if (lua.lua_rawgeti(L, -1, id) == 0) {
        lua.pop(L, 1);
        pushNew(L, id, .{});
        schemas.note(L, said);
        const metatable_id = schemas.metatableId(said);
        if (metatable_id != 0) pending.wantMetatable(L, -1, metatable_id);
    }
    lua.remove(L, -2);
}

/// The table at `metatable` is what the program sees as the metatable of the one with M at `meta`.
/// Stack: unchanged.
pub noinline fn attachMetatable(L: *lua.State, meta: c_int, metatable: c_int) void {
    const m = lua.lua_absindex(L, meta);
    const value = lua.lua_absindex(L, metatable);
    lua.lua_pushvalue(L, value);
    setSlot(L, m, .metatable);
    events.fill(L, m, value);
}

/// Empties the cache of the external table at `index`. Nothing in it may wait to be flushed.
/// Stack: unchanged.
pub noinline fn emptyCache(L: *lua.State, index: c_int) void {
    const p = lua.lua_absindex(L, index);
    const top = lua.lua_gettop(L);
    pushMeta(L, p);
    pushSlot(L, -1, .cache);
    lua.lua_createtable(L, 0, 0);
    core_swap_contents(L, top + 2, top + 3);
    lua.lua_pushboolean(L, 0);
    setSlot(L, top + 1, .keys);
    var flags = flagsOf(L, top + 1);
    flags.complete = false;
    flags.visited = false;
    setFlags(L, top + 1, flags);
    lua.lua_settop(L, top);
}
