//! Looks at the VM between evaluations, without running the program's code.

const std = @import("std");
const lua = @import("lua.zig");
const output = @import("root").output;
const protocol = @import("protocol.zig");
const wire = @import("wire.zig");
const trace = @import("trace.zig");
const evaluation = @import("evaluate.zig");
const critical = @import("critical.zig");
const external = @import("external.zig");
const functions = @import("functions.zig");
const alive = @import("references.zig");
const load = @import("load.zig");
const Preview = @import("preview.zig").Preview;
const exchange = &@import("exchange.zig").exchange;

const Call = struct {
    request: []const u8,
    writer: wire.Writer = .{},
};

/// Fields looked at, at most.
const fields_max = 10000;
const path_max = 100;

/// Request: u32 count, and that many names (u32 length, bytes). Response: ok, u32 count, and pairs of
/// name and type name, for the string keys of the table found there; none if there is no table.
pub fn fields(L: *lua.State, request_length: u32) u32 {
    return run(L, request_length, fieldsBody);
}

/// Request: a value. Response: ok, 1, and the value, read by the decoder and written by the encoder.
pub fn echo(L: *lua.State, request_length: u32) u32 {
    return run(L, request_length, echoBody);
}

/// Response: ok, u32 count, ids.
pub fn references(L: *lua.State) u32 {
    return run(L, 0, referencesBody);
}

fn referencesBody(L: *lua.State) callconv(.c) c_int {
    _ = lua.lua_gc(L, lua.gc_collect);
    functions.sweep(L);
    const call = callAt(L);
    call.writer.int(u8, @backingInt(protocol.Outcome.ok));
    alive.write(L, &call.writer);
    return 0;
}

pub fn collect(L: *lua.State) u32 {
    var call: Call = .{ .request = "" };
    const status = evaluation.runProtected(L, &call, collectBody);
    output.flush();
    lua.lua_settop(L, 0);
    return @intFromBool(status != lua.ok);
}

/// A copy of the request, which the response writes over.
var request_copy: [4096]u8 = undefined;

fn run(L: *lua.State, request_length: u32, body: lua.CFunction) u32 {
    output.reset();
    trace.reset("");
    var call: Call = .{ .request = exchange.io[0..@min(request_length, exchange.io.len)] };
    const status = evaluation.runProtected(L, &call, body);
    lua.lua_settop(L, 0);
    if (status != lua.ok) {
        call.writer.length = 0;
        refuse(&call, "not enough memory");
    }
    return call.writer.length;
}

fn refuse(call: *Call, message: []const u8) void {
    call.writer.int(u8, @backingInt(protocol.Outcome.request));
    call.writer.text(message);
}

fn callAt(L: *lua.State) *Call {
    return @ptrCast(@alignCast(lua.lua_touserdata(L, 1).?));
}

fn collectBody(L: *lua.State) callconv(.c) c_int {
    _ = lua.lua_gc(L, lua.gc_collect);
    return 0;
}

fn echoBody(L: *lua.State) callconv(.c) c_int {
    const call = callAt(L);
    var reader: wire.Reader = .{ .bytes = call.request };
    reader.push(L, 0) catch |failure| {
        refuse(call, wire.message(failure));
        return 0;
    };
    if (reader.position != reader.bytes.len) {
        refuse(call, "bytes are left over after the value");
        return 0;
    }
    call.writer.int(u8, @backingInt(protocol.Outcome.ok));
    call.writer.int(u32, 1);
    var preview = Preview.init(L, &call.writer, .{
        .depth = 32,
        .entries = 1 << 20,
        .nodes = 1 << 20,
        .string_bytes = 1 << 20,
    });
    preview.value(-1);
    return 0;
}

fn fieldsBody(L: *lua.State) callconv(.c) c_int {
    const call = callAt(L);
    const found = followPath(L, call) catch {
        refuse(call, "the path is malformed or too long");
        return 0;
    };
    call.writer.int(u8, @backingInt(protocol.Outcome.ok));
    if (!found) {
        call.writer.int(u32, 0);
        return 0;
    }
    var table = lua.lua_gettop(L);
    if (external.is(L, table)) {
        external.pushMeta(L, table);
        critical.enter(L);
        load.visit(L, table, table + 1);
        critical.leave(L);
        external.pushSlot(L, table + 1, .cache);
        table += 2;
    }
    var count: u32 = 0;
    lua.lua_pushnil(L);
    while (count < fields_max and lua.lua_next(L, table) != 0) : (lua.pop(L, 1)) {
        if (lua.typeAt(L, -2) == .string) count += 1;
    }
    lua.lua_settop(L, table);
    call.writer.int(u32, count);
    lua.lua_pushnil(L);
    var written: u32 = 0;
    while (written < count and lua.lua_next(L, table) != 0) : (lua.pop(L, 1)) {
        if (lua.typeAt(L, -2) != .string) continue;
        call.writer.text(lua.stringAt(L, -2));
        call.writer.text(std.mem.span(lua.lua_typename(L, lua.lua_type(L, -1))));
        written += 1;
    }
    return 0;
}

/// Pushes the value at the request's path from _G, by raw reads; a string's fields are its library's.
/// Returns whether it is a table.
fn followPath(L: *lua.State, call: *Call) error{ Truncated, TooLong, UnknownTag, BadBoolean, BadKey, TooDeep, StackOverflow }!bool {
    if (call.request.len > request_copy.len) return error.TooLong;
    @memcpy(request_copy[0..call.request.len], call.request);
    var reader: wire.Reader = .{ .bytes = request_copy[0..call.request.len] };
    const count = try reader.int(u32);
    if (count > path_max) return error.TooLong;
    _ = lua.lua_rawgeti(L, lua.registry_index, lua.ridx_globals);
    const place = lua.lua_gettop(L);
    for (0..count) |_| {
        lua.pushString(L, try reader.text());
        if (!step(L)) return false;
        lua.lua_copy(L, -1, place);
        lua.lua_settop(L, place);
    }
    if (lua.typeAt(L, -1) == .table) return true;
    return indexTable(L);
}

/// Replaces a value and a key on the stack by the value's field. False if it has none to look into.
fn step(L: *lua.State) bool {
    lua.lua_rotate(L, -2, 1);
    const place = lua.lua_gettop(L);
    // Stack: key, value. Follows `__index` tables, as an access would, but no functions.
    for (0..16) |_| {
        if (lua.typeAt(L, -1) == .table) {
            lua.lua_pushvalue(L, place - 1);
            _ = lua.lua_rawget(L, place);
            if (lua.typeAt(L, -1) != .nil) return true;
            lua.pop(L, 1);
        }
        if (!indexTable(L)) return false;
        lua.lua_copy(L, -1, place);
        lua.lua_settop(L, place);
    }
    return false;
}

/// Pushes the `__index` of the metatable of the value at the top; whether that is a table.
fn indexTable(L: *lua.State) bool {
    if (lua.lua_getmetatable(L, -1) == 0) return false;
    _ = lua.lua_pushstring(L, "__index");
    _ = lua.lua_rawget(L, -2);
    return lua.typeAt(L, -1) == .table;
}
