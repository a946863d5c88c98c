//! Schemas: assignments to tables that are expected to be something are checked before anything is
//! written. What is expected, and whether it is so, is the prelude's to say (lua/prelude/checking.lua); here
//! is only who has to be asked. In a store without schemas nobody ever is.

const lua = @import("lua.zig");
const external = @import("external.zig");
const prelude = @import("prelude.zig");
const wire = @import("wire.zig");
const Request = @import("storecall.zig").Request;
const Registry = external.Registry;

/// What M says of a table of which nothing is known: the store has to be asked.
pub const unknown: lua.Integer = 1;
/// The host puts what a table is expected to be above the id of its metatable.
const metatable_bits = 40;

const State = enum(u8) { unknown, none, some };
/// Whether the store has schemas, as far as this VM knows.
var state: State = .unknown;

/// The id in what the host says of a metatable.
pub fn metatableId(said: lua.Integer) lua.Integer {
    return if (said < 0) said else said & ((1 << metatable_bits) - 1);
}

/// A new external table is at the top, of which the host said this. Stack: unchanged.
pub fn note(L: *lua.State, said: lua.Integer) void {
    const expected = if (said < 0) unknown else said >> metatable_bits;
    if (expected == 0) return;
    external.pushMeta(L, -1);
    external.setIntegerSlot(L, -1, .expected, expected);
    lua.pop(L, 1);
}

/// Whether assignments to the table with M at `m` are to be checked.
pub fn guards(L: *lua.State, m: c_int) bool {
    if (state == .none) return false;
    if (state == .unknown) {
        var request: Request = .{};
        request.text("has_schemas");
        request.int(u8, @backingInt(wire.Tag.table));
        request.int(u32, 0);
        var reply = request.send(L, .data);
        // Not refused; a key; the value's tag.
        _ = reply.take(11);
        state = if (reply.int(u8) != 0) .some else .none;
        if (state == .none) return false;
    }
    external.pushSlot(L, m, .expected);
    defer lua.pop(L, 1);
    return lua.lua_toboolean(L, -1) != 0;
}

/// Checks an assignment. Raises the error that names what was expected; otherwise the value at `value`
/// becomes the one that is to be assigned. Pushes what `mark` wants to know. Stack: +1.
pub noinline fn check(L: *lua.State, p: c_int, m: c_int, key: c_int, value: c_int) void {
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 8, null);
    _ = lua.lua_pushstring(L, "schema_check");
    prelude.pushNeeded(L);
    for ([_]c_int{ p, key, value }) |index| lua.lua_pushvalue(L, index);
    external.pushSlot(L, m, .expected);
    lua.lua_callk(L, 4, 3, 0, null);
    if (lua.typeAt(L, top + 1) == .string) _ = lua.luaL_error(L, "%s", lua.lua_tolstring(L, top + 1, null).?);
    lua.lua_copy(L, top + 2, value);
    lua.lua_copy(L, top + 3, top + 1);
    lua.lua_settop(L, top + 1);
}

/// After the assignment of the value at `value`: it is expected to be what is at the top. Stack: -1.
pub fn mark(L: *lua.State, value: c_int) void {
    if (lua.typeAt(L, -1) == .nil) return lua.pop(L, 1);
    _ = lua.lua_pushstring(L, "schema_mark");
    prelude.pushNeeded(L);
    lua.insert(L, -2);
    lua.lua_pushvalue(L, value);
    lua.lua_callk(L, 2, 0, 0, null);
}

/// All that is known may be wrong. Stack: unchanged.
pub fn forget(L: *lua.State) void {
    const top = lua.lua_gettop(L);
    state = .unknown;
    lua.lua_createtable(L, 0, 0);
    lua.lua_rawseti(L, lua.registry_index, Registry.shapes);
    external.push(L, Registry.by_id);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 1) != 0) : (lua.pop(L, 1)) {
        external.pushMeta(L, -1);
        external.setIntegerSlot(L, -1, .expected, unknown);
        lua.pop(L, 1);
    }
    lua.lua_settop(L, top);
}

// Primitives of the prelude.

/// expected_of(table): false, the host's number, or what `expect` was given.
pub fn expectedOf(L: *lua.State) callconv(.c) c_int {
    external.pushMeta(L, 1);
    external.pushSlot(L, -1, .expected);
    return 1;
}

/// expect(table, what).
pub fn expect(L: *lua.State) callconv(.c) c_int {
    lua.lua_settop(L, 2);
    external.pushMeta(L, 1);
    lua.insert(L, 2);
    external.setSlot(L, 2, .expected);
    return 0;
}

/// shapes(): a table that lasts as long as what is known of schemas.
pub fn shapes(L: *lua.State) callconv(.c) c_int {
    external.push(L, Registry.shapes);
    return 1;
}

pub fn forgetAll(L: *lua.State) callconv(.c) c_int {
    forget(L);
    return 0;
}
