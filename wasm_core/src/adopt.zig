//! Adoption: plain tables and functions that the program assigns into external tables become external
//! tables and persisted functions themselves, in place, with all that they reach. First everything is
//! looked at, from a queue, so that what cannot be persisted is refused before anything has changed.

const std = @import("std");
const events = @import("events.zig");
const lua = @import("lua.zig");
const critical = @import("critical.zig");
const external = @import("external.zig");
const flush = @import("flush.zig");
const functions = @import("functions.zig");
const ids = @import("ids.zig");
const load = @import("load.zig");
const path = @import("path.zig");
const record = @import("record.zig");

/// Whether it is a function of the prelude.
extern fn core_is_concealed(*lua.State, c_int) c_int;

/// The queue is a Lua array of `width` values an object.
const width = 4;
const Place = enum(u8) {
    /// The table or function.
    object = 0,
    /// The number of the object it was found in, 0 for the first one.
    parent = 1,
    /// Where in it: a key, or the name of an upvalue, or nothing for a metatable.
    label = 2,
    /// Integer, see `path.Label`.
    kind = 3,
};

const Walk = struct {
    L: *lua.State,
    /// Stack indexes: the queue; the set of what is in it; P and key that all of it is found under.
    queue: c_int,
    seen: c_int,
    p: c_int,
    key: c_int,
    count: lua.Integer = 0,

    noinline fn enqueue(self: *Walk, object: c_int, parent: lua.Integer, label: c_int, kind: path.Label) void {
        const L = self.L;
        const value = lua.lua_absindex(L, object);
        lua.lua_pushvalue(L, value);
        if (lua.lua_rawget(L, self.seen) != 0) return lua.pop(L, 1);
        lua.pop(L, 1);
        lua.lua_pushvalue(L, value);
        lua.lua_pushboolean(L, 1);
        lua.lua_rawset(L, self.seen);
        const first = self.count * width + 1;
        lua.lua_pushvalue(L, value);
        lua.lua_rawseti(L, self.queue, first);
        lua.lua_pushinteger(L, parent);
        lua.lua_rawseti(L, self.queue, first + 1);
        if (label == 0) lua.lua_pushboolean(L, 0) else lua.lua_pushvalue(L, label);
        lua.lua_rawseti(L, self.queue, first + 2);
        lua.lua_pushinteger(L, @backingInt(kind));
        lua.lua_rawseti(L, self.queue, first + 3);
        self.count += 1;
    }

    noinline fn pushPlace(self: *Walk, number: lua.Integer, place: Place) void {
        const first = (number - 1) * width + 1;
        _ = lua.lua_rawgeti(self.L, self.queue, first + @backingInt(place));
    }

    noinline fn integerAt(self: *Walk, number: lua.Integer, place: Place) lua.Integer {
        self.pushPlace(number, place);
        defer lua.pop(self.L, 1);
        return lua.lua_tointegerx(self.L, -1, null);
    }

    /// Looks at a value found in object `parent`: it can be stored, is enqueued, or is refused.
    noinline fn meet(self: *Walk, value: c_int, parent: lua.Integer, label: c_int, kind: path.Label) void {
        const L = self.L;
        if (record.isStorable(L, value)) {
            if (kind != .metatable or external.is(L, value)) return;
            self.refuse(value, parent, label, kind);
        }
        switch (lua.typeAt(L, value)) {
            .table => return self.enqueue(value, parent, label, kind),
            .function => if (functions.isLua(L, value) and core_is_concealed(L, value) == 0) return self.enqueue(value, parent, label, kind),
            else => {},
        }
        self.refuse(value, parent, label, kind);
    }

    /// Raises the error that names the value and the way to it.
    noinline fn refuse(self: *Walk, value: c_int, parent: lua.Integer, label: c_int, kind: path.Label) void {
        const L = self.L;
        var text: path.Path = .{};
        self.describe(parent, label, kind, &text);
        const what: [*:0]const u8 = switch (lua.typeAt(L, value)) {
            .thread => "a coroutine",
            .function => "a C function that has no name (see ext.permanent)",
            .userdata, .light_userdata => "a userdata",
            .table => "a table of the standard library here",
            else => "this value",
        };
        critical.leave(L);
        _ = lua.luaL_error(L, "%s: cannot persist %s", @as([*:0]const u8, @ptrCast(&text.bytes)), what);
    }

    /// The way to what stands in object `parent` at a label. Stack: unchanged.
    fn describe(self: *Walk, parent: lua.Integer, label: c_int, kind: path.Label, text: *path.Path) void {
        const L = self.L;
        if (self.p == 0) {
            functions.describeCell(L, self.key, text);
        } else {
            text.table(L, self.p);
            text.label(L, self.key, if (self.key == 0) .metatable else .key);
        }
        // The way from the first object, which is noted backwards.
        var numbers: [path.steps_max]lua.Integer = undefined;
        var steps: usize = 0;
        var number = parent;
        while (number > 1 and steps < numbers.len) : (steps += 1) {
            numbers[steps] = number;
            number = self.integerAt(number, .parent);
        }
        if (number > 1) text.gap();
        while (steps > 0) {
            steps -= 1;
            self.pushPlace(numbers[steps], .label);
            text.label(L, lua.lua_gettop(L), @fromBackingInt(@intCast(self.integerAt(numbers[steps], .kind))));
            lua.pop(L, 1);
        }
        if (parent > 0) text.label(L, label, kind);
        text.end();
    }

    /// Looks at everything that a queued table has. Stack: unchanged.
    fn scanTable(self: *Walk, number: lua.Integer, table: c_int) void {
        const L = self.L;
        const top = lua.lua_gettop(L);
        if (lua.lua_getmetatable(L, table) != 0) self.meet(top + 1, number, 0, .metatable);
        lua.lua_settop(L, top);
        lua.lua_pushnil(L);
        while (lua.lua_next(L, table) != 0) : (lua.pop(L, 1)) {
            external.cached_count += 1;
            self.meet(top + 1, number, top + 1, .table_key);
            self.meet(top + 2, number, top + 1, .key);
        }
    }

    fn scanFunction(self: *Walk, number: lua.Integer, function: c_int) void {
        const L = self.L;
        const top = lua.lua_gettop(L);
        var n: c_int = 1;
        while (lua.lua_getupvalue(L, function, n)) |upvalue_name| : (n += 1) {
            _ = lua.lua_pushstring(L, upvalue_name);
            self.meet(top + 1, number, top + 2, .upvalue);
            lua.lua_settop(L, top);
        }
    }
};

/// Makes the value at `value` one that the store can take: it is about to become the value at `key` of
/// the external table at `p` (or that key itself; or with key 0 its metatable; or with p 0 the value of
/// the cell at `key`). Raises an error that names the place of what cannot
/// be persisted; then nothing has changed. Stack: unchanged.
pub noinline fn adopt(L: *lua.State, p: c_int, key: c_int, value: c_int) void {
    if (p != 0 and key != 0 and lua.typeAt(L, value) == .table and isFlat(L, value)) {
        adoptTable(L, value);
        return load.notePath(L, p, key, value);
    }
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 24, null);
    lua.lua_createtable(L, width, 0);
    lua.lua_createtable(L, 0, 1);
    var walk: Walk = .{ .L = L, .queue = top + 1, .seen = top + 2, .p = p, .key = key };
    walk.meet(value, 0, 0, if (key == 0) .metatable else .key);
    var number: lua.Integer = 1;
    while (number <= walk.count) : (number += 1) {
        walk.pushPlace(number, .object);
        const object = lua.lua_gettop(L);
        if (lua.typeAt(L, object) == .table) walk.scanTable(number, object) else walk.scanFunction(number, object);
        lua.lua_settop(L, top + 2);
    }
    ids.ensure(L, walk.count);
    number = 1;
    while (number <= walk.count) : (number += 1) {
        walk.pushPlace(number, .object);
        const object = lua.lua_gettop(L);
        if (lua.typeAt(L, object) == .table) {
            adoptTable(L, object);
            nameAdopted(&walk, number, object);
        } else {
            functions.adopt(L, object);
        }
        lua.lua_settop(L, top + 2);
    }
    lua.lua_settop(L, top);
}

/// Stack: unchanged.
fn adoptTable(L: *lua.State, table: c_int) void {
    const has_metatable = lua.lua_getmetatable(L, table) != 0;
    if (has_metatable) lua.pop(L, 1);
    flush.enlist(L, table);
    external.make(L, table, ids.next(L), .{
        .complete = true,
        .fresh = true,
        .listed = true,
        .visited = true,
        .metatable_changed = has_metatable,
    });
    keepEvents(L, table);
}

/// Puts back into the table what Lua looks for in it when it is a metatable. Stack: unchanged.
fn keepEvents(L: *lua.State, table: c_int) void {
    const top = lua.lua_gettop(L);
    external.pushMeta(L, table);
    external.pushSlot(L, -1, .cache);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 2) != 0) : (lua.pop(L, 1)) {
        if (events.isName(L, top + 3)) flush.keepEvent(L, table, top + 3, top + 4);
    }
    lua.lua_settop(L, top);
}

/// Whether the table has no metatable, and nothing that would have to be adopted with it: then there is
/// no need for a queue. Stack: unchanged.
fn isFlat(L: *lua.State, table: c_int) bool {
    const top = lua.lua_gettop(L);
    if (lua.lua_getmetatable(L, table) != 0) {
        lua.pop(L, 1);
        return false;
    }
    var count: u32 = 0;
    lua.lua_pushnil(L);
    while (lua.lua_next(L, table) != 0) : (lua.pop(L, 1)) {
        if (!record.isStorable(L, top + 1) or !record.isStorable(L, top + 2)) {
            lua.lua_settop(L, top);
            return false;
        }
        count += 1;
    }
    external.cached_count += count;
    return true;
}

/// An adopted table is called by the place where it was found. Stack: unchanged.
fn nameAdopted(walk: *Walk, number: lua.Integer, table: c_int) void {
    const L = walk.L;
    const parent = walk.integerAt(number, .parent);
    const kind: path.Label = @fromBackingInt(@intCast(walk.integerAt(number, .kind)));
    if (parent == 0) {
        if (walk.p != 0 and walk.key != 0) load.notePath(L, walk.p, walk.key, table);
        return;
    }
    walk.pushPlace(parent, .object);
    walk.pushPlace(number, .label);
    const owner = lua.lua_gettop(L) - 1;
    if (kind == .key) {
        load.notePath(L, owner, owner + 1, table);
    } else if (walk.p != 0) {
        var text: path.Path = .{};
        walk.describe(parent, owner + 1, kind, &text);
        lua.pushString(L, text.bytes[0..text.length]);
        load.noteName(L, owner + 2, table);
    }
    lua.lua_settop(L, owner - 1);
}
