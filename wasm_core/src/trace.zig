//! Where an error happened: its place and the frames around it, noted at the moment of the error in
//! a fixed buffer, without allocating and without running Lua code. So it works when memory has run
//! out, in a stack overflow, and after the host has stopped the core in the middle of something.
//!
//! The note: u32 prefix length (how much of the message is `chunk:line: `), u32 line, u32 length and
//! bytes of the chunk's source name (line 0: no place known), u32 count, and frames, innermost first:
//! u8 flags, u32 line, then four texts (u32 length, bytes): source name, what, kind of name, name,
//! and u32 line where the function is defined.

const std = @import("std");
const lua = @import("lua.zig");
const protocol = @import("protocol.zig");
const c = @import("internals.zig");
const buffer = &@import("exchange.zig").exchange.trace;
const message_buffer = &@import("exchange.zig").exchange.message;

/// Frames kept at the inner and the outer end; what lies between is left out.
const inner_frames = 20;
const outer_frames = 20;
const name_bytes_max = 120;
const source_bytes_max = 200;
const head_bytes_max = 4 + 4 + 4 + source_bytes_max + 4;
const frame_bytes_max = 1 + 4 + (4 + source_bytes_max) + (4 + 8) + (4 + 16) + (4 + name_bytes_max) + 4;

comptime {
    const whole = head_bytes_max + (inner_frames + outer_frames) * frame_bytes_max;
    if (whole > protocol.trace_buffer_bytes) @compileError("the trace buffer is too small");
}

/// The note's length; 0 when nothing was noted.
var length: u32 = 0;
/// Whether the note is of a memory error. The program may catch those; only one that ends the
/// evaluation is told.
var of_memory = false;
/// Whether the note is of an interrupt. It is raised again wherever the program goes on; the first
/// place counts, and a coroutine's frames are gone when the error reaches the handler.
var of_interrupt = false;
/// The chunk that is evaluated: messages from its coroutines name it, though it is in no frame.
var evaluated_name: [:0]const u8 = "";
var message_length: usize = 0;
/// The state that evaluations start in; the others are coroutines.
pub var main_state: ?*lua.State = null;

pub fn reset(chunk_name: [:0]const u8) void {
    length = 0;
    of_memory = false;
    of_interrupt = false;
    message_length = 0;
    evaluated_name = chunk_name;
}

/// The message of an error value that is not a string.
pub fn message() []const u8 {
    return message_buffer[0..message_length];
}

pub fn setMessage(text: []const u8) void {
    message_length = 0;
    addMessage(text);
}

pub fn addMessage(text: []const u8) void {
    const count = @min(text.len, message_buffer.len - message_length);
    @memcpy(message_buffer[message_length..][0..count], text[0..count]);
    message_length += count;
}

pub fn note() []const u8 {
    return buffer[0..length];
}

/// An error that is being raised takes the place of what was noted before.
/// To be called from the message handler, whose own frame is left out.
pub fn remember(L: *lua.State, error_message: []const u8) void {
    if (of_interrupt) return;
    capture(L, error_message, 1);
    of_memory = false;
}

export fn core_note_interrupt(L: *lua.State) void {
    if (of_interrupt) return;
    capture(L, "", 0);
    of_memory = false;
    of_interrupt = true;
}

/// Called as a memory error is thrown: Lua raises it without a message handler.
export fn core_note_memory_error(L: *lua.State) void {
    if (of_interrupt) return;
    capture(L, "", 0);
    of_memory = true;
}

/// The host has stopped the core in the middle of something. That may be an interrupt on its way
/// out, with its frames gone: then what was noted as it was raised stands.
pub fn rememberStop(running: ?*lua.State) void {
    if (of_interrupt) return;
    reset(evaluated_name);
    if (running) |L| capture(L, "", 0);
}

pub fn isOfMemory() bool {
    return of_memory;
}

/// Notes the place of a syntax error, from its message alone.
pub fn rememberSyntaxError(chunk_name: [:0]const u8, error_message: []const u8) void {
    var id: [lua.id_size]u8 = undefined;
    const source = chunk_name[0..chunk_name.len];
    c.core_chunk_id(&id, source.ptr, source.len);
    const place = placeInMessage(error_message, std.mem.sliceTo(&id, 0));
    start(if (place) |found| found.prefix_length else 0, if (place) |found| found.line else 0, source);
    putInt(u32, 0);
    of_memory = false;
}

const MessagePlace = struct { line: u32, prefix_length: u32 };

/// Reads `short_source:line: ` at the start of a message.
fn placeInMessage(error_message: []const u8, short_source: []const u8) ?MessagePlace {
    if (!std.mem.startsWith(u8, error_message, short_source)) return null;
    var rest = error_message[short_source.len..];
    if (rest.len == 0 or rest[0] != ':') return null;
    rest = rest[1..];
    const digits = std.mem.indexOfNone(u8, rest, "0123456789") orelse return null;
    if (digits == 0 or digits > 9 or rest[digits] != ':') return null;
    var line: u32 = 0;
    for (rest[0..digits]) |digit| line = line * 10 + (digit - '0');
    var prefix = short_source.len + 1 + digits + 1;
    if (prefix < error_message.len and error_message[prefix] == ' ') prefix += 1;
    return .{ .line = line, .prefix_length = @intCast(prefix) };
}

fn start(prefix_length: u32, line: u32, source: []const u8) void {
    length = 0;
    putInt(u32, prefix_length);
    putInt(u32, line);
    putText(source, source_bytes_max);
}

fn capture(L: *lua.State, error_message: []const u8, inner_left_out: u32) void {
    var ar: lua.Debug = undefined;
    var first = inner_left_out;
    if (lua.lua_getstack(L, @intCast(first), &ar) != 0) {
        _ = lua.lua_getinfo(L, "n", &ar);
        if (std.mem.eql(u8, std.mem.span(ar.name_what), "hook")) first += 1;
    }
    var end = countLevels(L, &ar);
    // The outermost level of the main state is the core's own function, in evaluate.zig.
    if (L == main_state and end > first) end -= 1;
    startWithPlace(L, error_message, first, end, &ar);
    const depth = end -| first;
    const shown: u32 = @min(depth, inner_frames + outer_frames);
    putInt(u32, shown);
    for (0..shown) |index| {
        const gap = index == inner_frames and depth > shown;
        const level = if (index < inner_frames) first + index else end - (shown - index);
        if (lua.lua_getstack(L, @intCast(level), &ar) == 0) unreachable;
        _ = lua.lua_getinfo(L, "Slnt", &ar);
        putFrame(&ar, gap);
    }
}

/// The place is where the message says it is, if it names a line of a chunk that is running;
/// otherwise the innermost line of Lua code.
fn startWithPlace(L: *lua.State, error_message: []const u8, first: u32, end: u32, ar: *lua.Debug) void {
    var innermost: ?u32 = null;
    for (first..@max(first, @min(end, first + inner_frames))) |level| {
        if (lua.lua_getstack(L, @intCast(level), ar) == 0) break;
        _ = lua.lua_getinfo(L, "Sl", ar);
        if (ar.current_line <= 0) continue;
        if (innermost == null) innermost = @intCast(level);
        const short_source = std.mem.sliceTo(&ar.short_source, 0);
        if (placeInMessage(error_message, short_source)) |place| {
            return start(place.prefix_length, place.line, ar.sourceName());
        }
    }
    var id: [lua.id_size]u8 = undefined;
    c.core_chunk_id(&id, evaluated_name.ptr, evaluated_name.len);
    if (placeInMessage(error_message, std.mem.sliceTo(&id, 0))) |place| {
        return start(place.prefix_length, place.line, evaluated_name);
    }
    const level = innermost orelse return start(0, 0, "");
    _ = lua.lua_getstack(L, @intCast(level), ar);
    _ = lua.lua_getinfo(L, "Sl", ar);
    start(0, @intCast(ar.current_line), ar.sourceName());
}

fn countLevels(L: *lua.State, ar: *lua.Debug) u32 {
    // Levels are found by walking, so look at twice as many each time, then halve the interval.
    var known: u32 = 0;
    var unknown: u32 = 1;
    while (lua.lua_getstack(L, @intCast(unknown - 1), ar) != 0) {
        known = unknown;
        unknown *= 2;
        if (unknown > 1 << 24) return known;
    }
    while (unknown - known > 1) {
        const middle = known + (unknown - known) / 2;
        if (lua.lua_getstack(L, @intCast(middle - 1), ar) != 0) known = middle else unknown = middle;
    }
    return known;
}

fn putFrame(ar: *const lua.Debug, gap: bool) void {
    var flags: u8 = 0;
    if (ar.is_tail_call != 0) flags |= protocol.frame_flag_tail_call;
    if (gap) flags |= protocol.frame_flag_gap;
    putInt(u8, flags);
    putInt(u32, if (ar.current_line > 0) @intCast(ar.current_line) else 0);
    putText(ar.sourceName(), source_bytes_max);
    putText(std.mem.span(ar.what), 8);
    putText(std.mem.span(ar.name_what), 16);
    putText(if (ar.name) |name| std.mem.span(name) else "", name_bytes_max);
    putInt(u32, if (ar.line_defined > 0) @intCast(ar.line_defined) else 0);
}

fn putInt(comptime T: type, value: T) void {
    std.mem.writeInt(T, buffer[length..][0..@sizeOf(T)], value, .little);
    length += @sizeOf(T);
}

fn putText(text: []const u8, bytes_max: usize) void {
    const shown = text[0..@min(text.len, bytes_max)];
    putInt(u32, @intCast(shown.len));
    @memcpy(buffer[length..][0..shown.len], shown);
    length += @intCast(shown.len);
}
