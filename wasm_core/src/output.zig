//! What a program writes: gathered in records, each with the line that wrote it, and handed to the
//! host in large pieces.
//!
//! A record: u8 stream, u32 line (0 if unknown), u32 length and bytes of the chunk's source name,
//! u32 length and bytes of text. Text from one place is gathered in one record.

const std = @import("std");
const core = @import("core");
const lua = core.lua;
const host = core.host;
const protocol = core.protocol;
const c = core.internals;
const buffer = &core.exchange.exchange.output;

pub var length: u32 = 0;
/// Set by the host, or by its answer, when it wants no more output.
pub var discard: u32 = 0;

/// Somebody watches: whole lines go to the host at once, as long as there are not too many.
pub var live: bool = false;
var live_flushes: u32 = 0;
const live_flushes_max = 2000;
/// After that many, so many bytes are gathered.
const live_bytes = 2048;

/// The last record in the buffer, to which text from the same place is appended.
const Last = struct {
    start: u32 = 0,
    source_length: u32 = 0,
    text_length: u32 = 0,
};
var last: ?Last = null;

const head_bytes = 1 + 4 + 4;
/// Longer source names are cut: they are code given as a name, not a file.
const source_bytes_max = 512;
/// So many levels are looked at for the Lua line that a piece of output belongs to.
const levels_max = 16;

pub fn reset() void {
    length = 0;
    discard = 0;
    last = null;
    live = false;
    live_flushes = 0;
}

/// Called when a line is whole.
fn flushIfWatched() void {
    if (!live or (live_flushes >= live_flushes_max and length < live_bytes)) return;
    live_flushes +|= 1;
    flush();
}

pub fn flush() void {
    if (length != 0 and discard == 0) {
        if (host.send(.output, buffer[0..length]) != 0) discard = 1;
    }
    length = 0;
    last = null;
}

const Place = struct { source: []const u8 = "", line: u32 = 0 };

/// The innermost line of Lua code that runs.
fn currentPlace(ar: *lua.Debug) Place {
    const L = c.core_control.running orelse return .{};
    var level: c_int = 0;
    while (level < levels_max and lua.lua_getstack(L, level, ar) != 0) : (level += 1) {
        _ = lua.lua_getinfo(L, "l", ar);
        if (ar.current_line > 0) {
            _ = lua.lua_getinfo(L, "S", ar);
            const source = ar.sourceName();
            return .{
                .source = source[0..@min(source.len, source_bytes_max)],
                .line = @intCast(ar.current_line),
            };
        }
    }
    return .{};
}

pub fn write(stream: protocol.Stream, text: []const u8) void {
    if (text.len == 0 or discard != 0) return;
    var ar: lua.Debug = undefined;
    const place = currentPlace(&ar);
    var rest = text;
    while (rest.len > 0) {
        if (!continues(stream, place)) begin(stream, place);
        if (discard != 0) return;
        const room = buffer.len - length;
        const count: u32 = @intCast(@min(room, rest.len));
        @memcpy(buffer[length..][0..count], rest[0..count]);
        length += count;
        last.?.text_length += count;
        const at = last.?.start + head_bytes + last.?.source_length;
        std.mem.writeInt(u32, buffer[at..][0..4], last.?.text_length, .little);
        rest = rest[count..];
        if (rest.len > 0) flush();
    }
    if (text[text.len - 1] == '\n') flushIfWatched();
}

fn continues(stream: protocol.Stream, place: Place) bool {
    const previous = last orelse return false;
    const record = buffer[previous.start..];
    return record[0] == @backingInt(stream) and
        std.mem.readInt(u32, record[1..5], .little) == place.line and
        previous.source_length == place.source.len and
        std.mem.eql(u8, record[head_bytes..][0..previous.source_length], place.source);
}

fn begin(stream: protocol.Stream, place: Place) void {
    const source_length: u32 = @intCast(place.source.len);
    if (buffer.len - length < head_bytes + source_length + 4 + 64) flush();
    const record = buffer[length..];
    record[0] = @backingInt(stream);
    std.mem.writeInt(u32, record[1..5], place.line, .little);
    std.mem.writeInt(u32, record[5..9], source_length, .little);
    @memcpy(record[head_bytes..][0..source_length], place.source);
    std.mem.writeInt(u32, record[head_bytes + source_length ..][0..4], 0, .little);
    last = .{ .start = length, .source_length = source_length, .text_length = 0 };
    length += head_bytes + source_length + 4;
}

/// `print`, with one look at the stack for the whole line. Behaves as the stock one otherwise.
pub fn print(L: *lua.State) callconv(.c) c_int {
    const count = lua.lua_gettop(L);
    var index: c_int = 1;
    while (index <= count) : (index += 1) {
        var text_length: usize = 0;
        const text = lua.luaL_tolstring(L, index, &text_length);
        if (index > 1) write(.stdout, "\t");
        write(.stdout, text[0..text_length]);
        lua.pop(L, 1);
    }
    write(.stdout, "\n");
    return 0;
}

var warnings_on = true;
var warning_continues = false;

/// Lua's warning function (`lua_WarnFunction`): on from the start; `@on` and `@off` as usual.
pub fn warn(_: ?*anyopaque, text: [*:0]const u8, continued: c_int) callconv(.c) void {
    const piece = std.mem.span(text);
    if (!warning_continues and continued == 0 and piece.len > 0 and piece[0] == '@') {
        if (std.mem.eql(u8, piece, "@on")) warnings_on = true;
        if (std.mem.eql(u8, piece, "@off")) warnings_on = false;
        return;
    }
    warning_continues = continued != 0;
    if (!warnings_on) return;
    write(.warning, piece);
    if (continued == 0) write(.warning, "\n");
}

/// For the stock sources (lua_writestring).
export fn core_write(stream: c_int, text: [*]const u8, text_length: usize) void {
    write(if (stream == 0) .stdout else .stderr, text[0..text_length]);
}

/// For the stock sources (lua_writestringerror): a format with at most one `%s`.
export fn core_write_error(format: [*:0]const u8, argument: [*:0]const u8) void {
    const text = std.mem.span(format);
    const at = std.mem.indexOf(u8, text, "%s") orelse return write(.stderr, text);
    write(.stderr, text[0..at]);
    write(.stderr, std.mem.span(argument));
    write(.stderr, text[at + 2 ..]);
}
