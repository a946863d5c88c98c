//! The code of persisted functions: prototypes are stored once, however many functions there are of
//! one, with where they stand in their source text, and brought back.

const std = @import("std");
const lua = @import("lua.zig");
const chunks = @import("chunks.zig");
const Request = @import("storecall.zig").Request;

extern fn core_code_open(*lua.State) void;
extern fn core_code_forget(*lua.State) void;
extern fn core_code_place(*lua.State, c_int, *u32, *u32) c_int;
extern fn core_code_id(*lua.State, c_int) lua.Integer;
extern fn core_code_remember(*lua.State, c_int, lua.Integer) void;
extern fn core_code_placed(*lua.State, c_int, u32, u32) void;
extern fn core_code_push(*lua.State, lua.Integer) c_int;

pub extern var core_source_serial: u32;
extern var core_code_trusted: u32;

pub const open = core_code_open;
pub const forget = core_code_forget;

/// The id of the stored code of the Lua function at `index`, which is stored first if need be.
/// Stack: unchanged.
pub fn define(L: *lua.State, index: c_int) lua.Integer {
    const function = lua.lua_absindex(L, index);
    const known = core_code_id(L, function);
    if (known != 0) return known;
    lua.luaL_checkstack(L, 8, null);
    const top = lua.lua_gettop(L);
    var request: Request = .{};
    describe(L, function, &request);
    lua.lua_pushvalue(L, function);
    var size: u32 = 0;
    _ = lua.lua_dump(L, count, &size, 0);
    request.int(u32, size);
    _ = lua.lua_dump(L, write, &request, 0);
    var reply = request.send(L, .define_code);
    const id = reply.int(i64);
    core_code_remember(L, function, id);
    lua.lua_settop(L, top);
    return id;
}

/// All of the request but the code. Stack: unchanged.
fn describe(L: *lua.State, function: c_int, request: *Request) void {
    const top = lua.lua_gettop(L);
    var serial: u32 = 0;
    var ordinal: u32 = 0;
    const is_placed = core_code_place(L, function, &serial, &ordinal) != 0;
    var ar: lua.Debug = undefined;
    lua.lua_pushvalue(L, function);
    _ = lua.lua_getinfo(L, ">Su", &ar);
    const source = ar.sourceName();
    const has_text = source.len > 0 and source[0] != '@' and source[0] != '=';
    request.int(u32, serial);
    request.int(u32, ordinal);
    request.int(i32, ar.line_defined);
    request.int(i32, ar.last_line_defined);
    request.int(u8, ar.parameter_count);
    request.int(u8, ar.is_vararg);
    request.text(if (has_text) "" else source);
    request.int(u32, ar.parameter_count);
    lua.lua_pushvalue(L, function);
    for (0..ar.parameter_count) |n| {
        const name = lua.lua_getlocal(L, null, @intCast(n + 1));
        request.text(if (name) |text| std.mem.span(text) else "");
    }
    lua.lua_settop(L, top);
    request.int(u32, ar.upvalue_count);
    for (0..ar.upvalue_count) |n| {
        const name = lua.lua_getupvalue(L, function, @intCast(n + 1));
        request.text(if (name) |text| std.mem.span(text) else "");
        lua.lua_settop(L, top);
    }
    request.text(if (has_text and is_placed and serial == 0) source else "");
}

fn count(_: *lua.State, _: [*]const u8, length: usize, context: ?*anyopaque) callconv(.c) c_int {
    const size: *u32 = @ptrCast(@alignCast(context.?));
    size.* += @intCast(length);
    return 0;
}

fn write(_: *lua.State, bytes: [*]const u8, length: usize, context: ?*anyopaque) callconv(.c) c_int {
    const request: *Request = @ptrCast(@alignCast(context.?));
    request.bytes(bytes[0..length]);
    return 0;
}

/// Pushes a new function of the stored code, its upvalues nil. Raises the reason if the store, or the
/// verifier, refuses the code. Stack: +1.
pub fn push(L: *lua.State, id: lua.Integer) void {
    lua.luaL_checkstack(L, 8, null);
    if (core_code_push(L, id) != 0) return;
    const top = lua.lua_gettop(L);
    var request: Request = .{};
    request.int(i64, id);
    var reply = request.send(L, .code);
    const is_good = reply.int(u8) != 0;
    reply.pushText(L);
    if (!is_good) _ = lua.lua_error(L);
    // Where it stands in a source text that the host has, if it has one.
    const has_place = reply.length - reply.position >= 8;
    const serial = if (has_place) reply.int(u32) else 0;
    const ordinal = if (has_place) reply.int(u32) else 0;
    var piece: Piece = .{ .bytes = lua.stringAt(L, -1) };
    if (chunks.problem(L, piece.bytes)) |reason| {
        lua.pushString(L, reason);
        _ = lua.luaL_error(L, "stored code is damaged: %s", lua.lua_tolstring(L, -1, null).?);
    }
    core_code_trusted = 1;
    const status = lua.lua_load(L, readPiece, &piece, "=(stored)", "b");
    core_code_trusted = 0;
    if (status != lua.ok) _ = lua.lua_error(L);
    core_code_remember(L, -1, id);
    if (serial != 0) core_code_placed(L, -1, serial, ordinal);
    // A function of its own, since lua_load has given this one the globals.
    _ = core_code_push(L, id);
    lua.lua_copy(L, -1, top + 1);
    lua.lua_settop(L, top + 1);
}

const Piece = struct { bytes: []const u8 };

fn readPiece(_: *lua.State, context: ?*anyopaque, size: *usize) callconv(.c) ?[*]const u8 {
    const piece: *Piece = @ptrCast(@alignCast(context.?));
    size.* = piece.bytes.len;
    const bytes = piece.bytes.ptr;
    piece.bytes = piece.bytes[piece.bytes.len..];
    return if (size.* == 0) null else bytes;
}
