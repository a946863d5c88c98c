//! The library `ext`, and the root `Memory`.

const std = @import("std");
const lua = @import("lua.zig");
const critical = @import("critical.zig");
const external = @import("external.zig");
const flush = @import("flush.zig");
const cells = @import("functions.zig");
const ids = @import("ids.zig");
const pending = @import("pending.zig");
const permanents = @import("permanents.zig");
const prelude = @import("prelude.zig");
const protocol = @import("protocol.zig");
const schemas = @import("schemas.zig");
const references = @import("references.zig");
const transaction = @import("transaction.zig");
const Request = @import("storecall.zig").Request;
const Registry = external.Registry;

const functions = [_]struct { [:0]const u8, lua.CFunction }{
    .{ "collect", collect },
    .{ "drop", drop },
    .{ "permanent", permanent },
    .{ "table", table },
    .{ "transaction", transaction.transaction },
};

/// Opens the library. Stack: unchanged.
pub fn open(L: *lua.State) void {
    external.open(L);
    lua.lua_createtable(L, 0, functions.len);
    for (functions) |function| {
        lua.pushFunction(L, function[1]);
        lua.lua_setfield(L, -2, function[0].ptr);
    }
    prelude.open(L);
    // Where error messages look for the names of functions.
    _ = lua.lua_getfield(L, lua.registry_index, "_LOADED");
    lua.lua_pushvalue(L, -2);
    lua.lua_setfield(L, -2, "ext");
    lua.pop(L, 1);
    lua.lua_setglobal(L, "ext");
    permanents.open(L);
    external.pushNew(L, protocol.memory_table_id, .{ .unresolved = true });
    schemas.note(L, pending.unknown_metatable);
    nameRoot(L, lua.lua_gettop(L), "Memory");
    lua.lua_setglobal(L, "Memory");
}

fn nameRoot(L: *lua.State, root: c_int, name: []const u8) void {
    external.pushMeta(L, root);
    lua.pushString(L, name);
    external.setSlot(L, -2, .key);
    external.push(L, Registry.roots);
    lua.pushString(L, name);
    lua.lua_pushvalue(L, root);
    lua.lua_rawset(L, -3);
    lua.lua_settop(L, root);
}

fn checkName(L: *lua.State, comptime what: []const u8) []const u8 {
    var length: usize = 0;
    const bytes = lua.luaL_checklstring(L, 1, &length);
    if (length == 0 or length > 1000 or std.mem.indexOfScalar(u8, bytes[0..length], 0) != null) {
        _ = lua.luaL_argerror(L, 1, what ++ "'s name has 1 to 1000 bytes, none of them zero");
    }
    return bytes[0..length];
}

/// The host refuses other bytes, too, but its refusals end the whole evaluation.
fn checkTableName(L: *lua.State) []const u8 {
    const name = checkName(L, "a table");
    if (!std.unicode.utf8ValidateSlice(name)) {
        _ = lua.luaL_argerror(L, 1, "a table's name is UTF-8 text");
    }
    return name;
}

/// ext.table(name): the root of that name, created on first use. ext.table(): a new external table that
/// lives while something reaches it.
pub fn table(L: *lua.State) callconv(.c) c_int {
    if (lua.lua_type(L, 1) <= 0) {
        critical.enter(L);
        const id = ids.next(L);
        external.pushNew(L, id, .{ .complete = true, .fresh = true, .listed = true, .visited = true });
        flush.enlist(L, lua.lua_gettop(L));
        critical.leave(L);
        return 1;
    }
    const name = checkTableName(L);
    external.push(L, Registry.roots);
    lua.lua_pushvalue(L, 1);
    if (lua.lua_rawget(L, -2) != 0) return 1;
    critical.enter(L);
    var request: Request = .{};
    request.text(name);
    request.int(u8, 1);
    var reply = request.send(L, .root);
    const id = reply.int(i64);
    external.pushById(L, id, reply.int(i64));
    pending.settle(L);
    nameRoot(L, lua.lua_gettop(L), name);
    critical.leave(L);
    return 1;
}

/// ext.drop(name): whether there was such a root. What nothing else reaches is collected later.
fn drop(L: *lua.State) callconv(.c) c_int {
    const name = checkTableName(L);
    if (std.mem.eql(u8, name, "Memory")) return lua.luaL_argerror(L, 1, "Memory cannot be dropped");
    flush.flushNow(L);
    external.push(L, Registry.roots);
    lua.lua_pushvalue(L, 1);
    lua.lua_pushnil(L);
    lua.lua_rawset(L, -3);
    var request: Request = .{};
    request.text(name);
    var reply = request.send(L, .drop);
    lua.lua_pushboolean(L, reply.int(u8));
    return 1;
}

/// ext.permanent(name, value): the value is stored by this name.
fn permanent(L: *lua.State) callconv(.c) c_int {
    const name = checkName(L, "a permanent");
    switch (lua.typeAt(L, 2)) {
        .table, .function, .userdata => {},
        else => return lua.luaL_argerror(L, 2, "table, function or userdata expected"),
    }
    if (external.is(L, 2)) return lua.luaL_argerror(L, 2, "an external table is stored as itself");
    permanents.name(L, 2, name);
    // What was loaded before it was registered stands there as something that raises an error.
    critical.enter(L);
    flush.emptyCaches(L);
    critical.leave(L);
    lua.lua_settop(L, 2);
    return 1;
}

/// ext.collect(): removes from the store what nothing reaches. How many of each.
fn collect(L: *lua.State) callconv(.c) c_int {
    critical.enter(L);
    flush.emptyCaches(L);
    critical.leave(L);
    _ = lua.lua_gc(L, lua.gc_collect);
    // Finalizers may have changed something.
    critical.enter(L);
    flush.flushAll(L);
    cells.sweep(L);
    critical.leave(L);
    var request: Request = .{};
    references.write(L, &request);
    var reply = request.send(L, .collect);
    lua.lua_createtable(L, 0, 4);
    inline for (.{ "tables", "functions", "cells", "code" }) |field| {
        lua.lua_pushinteger(L, reply.int(i64));
        lua.lua_setfield(L, -2, field);
    }
    return 1;
}
