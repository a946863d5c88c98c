//! Evaluation: a request's source is compiled and run, and what came of it becomes the response.

const std = @import("std");
const lua = @import("lua.zig");
const code = @import("code.zig");
const critical = @import("critical.zig");
const flush = @import("flush.zig");
const prelude = @import("prelude.zig");
const heap = @import("root").heap;
const host = @import("host.zig");
const protocol = @import("protocol.zig");
const wire = @import("wire.zig");
const trace = @import("trace.zig");
const output = @import("root").output;
const Preview = @import("preview.zig").Preview;
const Limits = @import("preview.zig").Limits;
const exchange = &@import("exchange.zig").exchange;

/// The head of a request, at the start of the I/O buffer. Behind it come the chunk name, the
/// arguments (a u32 count and values), and as much of the source as fits.
pub const Request = extern struct {
    flags: u32,
    /// Lines before the source in its document.
    line_offset: u32,
    limits: Limits,
    name_length: u32,
    arguments_length: u32,
    source_length: u32,
    /// The number by which the host knows the source text, for functions of it that are persisted.
    source_serial: u32,
};

/// Feeds lua_load: `return nil, ` for an expression, a newline for each line before the source, and the
/// source, of which the I/O buffer holds the beginning and the host the rest.
const SourceReader = struct {
    prefix: []const u8,
    lines_left: u32,
    /// The part of the source that lies in the I/O buffer.
    present: []const u8,
    length: u32,
    position: u32 = 0,

    const newlines: [256]u8 = @splat('\n');

    fn read(_: *lua.State, context: ?*anyopaque, size: *usize) callconv(.c) ?[*]const u8 {
        const self: *SourceReader = @ptrCast(@alignCast(context.?));
        const piece = self.next();
        size.* = piece.len;
        return if (piece.len == 0) null else piece.ptr;
    }

    fn next(self: *SourceReader) []const u8 {
        if (self.lines_left > 0) {
            const count = @min(self.lines_left, newlines.len);
            self.lines_left -= count;
            return newlines[0..count];
        }
        if (self.prefix.len > 0) {
            defer self.prefix = "";
            return self.prefix;
        }
        if (self.position < self.present.len) {
            self.position = @intCast(self.present.len);
            return self.present;
        }
        if (self.position >= self.length) return "";
        const room = @min(piece_bytes, self.length - self.position);
        const count = host.fill(.payload, 0, exchange.output[0..room], self.position);
        self.position += count;
        return exchange.output[0..count];
    }
};

extern fn core_stack_slots(*lua.State) c_int;
const stack_slots_kept = 4096;
/// An evaluation shall begin with so much memory at hand, if garbage is in its way.
const room_bytes = 65536;

/// While a source is compiled nothing is written, so pieces of it pass through the output buffer.
const piece_bytes = protocol.output_buffer_bytes;

/// What the protected part needs and leaves behind.
const Evaluation = struct {
    request: *const Request,
    name: [:0]const u8,
    arguments: []const u8,
    source: []const u8,
    writer: wire.Writer = .{},
    /// Results that only the prefix brought along.
    prefix_results: c_int = 0,
};

/// What makes a chunk of an expression. Not `return ` alone: a call would be a tail call then, and
/// the line it stands in missing from the traceback.
const expression_prefix = "return nil, ";

/// A copy of the request: the I/O buffer is written over by the response.
var request: Request = undefined;
var name_buffer: [512]u8 = undefined;

/// Runs the request in the I/O buffer. Returns the length of the last piece of the response.
pub fn evaluate(L: *lua.State, request_length: u32, compile_only: bool) u32 {
    output.reset();
    trace.reset("");
    var evaluation = parse(request_length) orelse return refuse("the request is malformed");
    trace.reset(evaluation.name);
    flush.begin();
    critical.reset(L);
    output.live = request.flags & protocol.evaluate_flag_live != 0;
    const status = runProtected(L, &evaluation, if (compile_only) compileBody else evaluateBody);
    output.flush();
    if (status != lua.ok) {
        // The response was not finished: memory ran out, or the stack, while it was made.
        evaluation.writer.length = 0;
        writeProblem(L, &evaluation, if (status == lua.err_mem) .memory else .runtime, .without_value);
    }
    lua.lua_settop(L, 0);
    return evaluation.writer.length;
}

fn parse(request_length: u32) ?Evaluation {
    if (request_length < @sizeOf(Request) or request_length > exchange.io.len) return null;
    @memcpy(std.mem.asBytes(&request), exchange.io[0..@sizeOf(Request)]);
    var reader: wire.Reader = .{ .bytes = exchange.io[0..request_length], .position = @sizeOf(Request) };
    const name = reader.take(request.name_length) catch return null;
    if (name.len >= name_buffer.len) return null;
    @memcpy(name_buffer[0..name.len], name);
    name_buffer[name.len] = 0;
    const arguments = reader.take(request.arguments_length) catch return null;
    const present = exchange.io[reader.position..request_length];
    if (present.len > request.source_length) return null;
    return .{
        .request = &request,
        .name = name_buffer[0..name.len :0],
        .arguments = arguments,
        .source = present,
    };
}

fn refuse(message: []const u8) u32 {
    var writer: wire.Writer = .{};
    writer.int(u8, @backingInt(protocol.Outcome.request));
    writer.text(message);
    return writer.length;
}

pub fn runProtected(L: *lua.State, context: *anyopaque, body: lua.CFunction) c_int {
    lua.lua_settop(L, 0);
    lua.pushFunction(L, handleError);
    lua.pushFunction(L, body);
    lua.lua_pushlightuserdata(L, context);
    return lua.lua_pcallk(L, 1, 0, 1, 0, null);
}

fn evaluationAt(L: *lua.State) *Evaluation {
    return @ptrCast(@alignCast(lua.lua_touserdata(L, 1).?));
}

/// Compiles, runs and writes the response. Stack on entry: the evaluation; index 2 is the handler.
fn evaluateBody(L: *lua.State) callconv(.c) c_int {
    const self = evaluationAt(L);
    lua.pushFunction(L, handleError);
    // Deep recursion leaves a large stack behind, and a stack cannot grow by collecting garbage: the
    // collection that runs when memory is short does neither. A full one now does.
    if (core_stack_slots(L) > stack_slots_kept or !heap.hasRoom(room_bytes)) {
        _ = lua.lua_gc(L, lua.gc_collect);
    }
    if (self.request.flags & protocol.evaluate_flag_stale != 0) flush.forget(L);
    const load_status = compile(L, self);
    if (load_status != lua.ok) {
        writeLoadProblem(L, self, load_status);
        return 0;
    }
    const argument_count = pushArguments(L, self) catch |failure| {
        self.writer.int(u8, @backingInt(protocol.Outcome.request));
        self.writer.text(wire.message(failure));
        return 0;
    };
    const status = lua.lua_pcallk(L, argument_count, lua.multret, 2, 0, null);
    if (status == lua.err_mem) {
        writeProblem(L, self, .memory, .with_value);
        return 0;
    }
    if (status != lua.ok) {
        // What the error left behind is kept, if it can be.
        const keep = self.request.flags & protocol.evaluate_flag_keep != 0;
        if (!keep or isFlushed(L, self, 0)) writeProblem(L, self, .runtime, .with_value);
        return 0;
    }
    if (!isFlushed(L, self, 2)) return 0;
    const first = 3 + self.prefix_results;
    const last = lua.lua_gettop(L);
    self.writer.int(u8, @backingInt(protocol.Outcome.ok));
    self.writer.int(u32, @intCast(last - first + 1));
    var index: c_int = first;
    while (index <= last) : (index += 1) {
        var preview = Preview.init(L, &self.writer, self.request.limits);
        preview.value(index);
    }
    return 0;
}

/// Sends to the store what was changed after an evaluation had ended, by finalizers. The response is that
/// of an evaluation without values.
pub fn flushChanges(L: *lua.State) u32 {
    output.reset();
    trace.reset("");
    critical.reset(L);
    var evaluation: Evaluation = .{ .request = &request, .name = "", .arguments = "", .source = "" };
    const status = runProtected(L, &evaluation, flushChangesBody);
    if (status != lua.ok) {
        evaluation.writer.length = 0;
        writeProblem(L, &evaluation, .memory, .without_value);
    }
    lua.lua_settop(L, 0);
    return evaluation.writer.length;
}

fn flushChangesBody(L: *lua.State) callconv(.c) c_int {
    const self = evaluationAt(L);
    if (!isFlushed(L, self, 0)) return 0;
    self.writer.int(u8, @backingInt(protocol.Outcome.ok));
    self.writer.int(u32, 0);
    return 0;
}

/// Sends what was changed to the store. If that cannot be, writes the problem.
fn isFlushed(L: *lua.State, self: *Evaluation, handler: c_int) bool {
    lua.pushFunction(L, flushBody);
    const status = lua.lua_pcallk(L, 0, 0, handler, 0, null);
    if (status == lua.ok) return true;
    const is_memory = status == lua.err_mem or critical.isDoomed();
    writeProblem(L, self, if (is_memory) .memory else .persistence, .with_value);
    return false;
}

fn flushBody(L: *lua.State) callconv(.c) c_int {
    flush.flushNow(L);
    return 0;
}

/// Compiles only: the response is `ok` without values, or the problem.
fn compileBody(L: *lua.State) callconv(.c) c_int {
    const self = evaluationAt(L);
    lua.lua_pushnil(L);
    const status = compile(L, self);
    if (status != lua.ok) {
        writeLoadProblem(L, self, status);
    } else {
        self.writer.int(u8, @backingInt(protocol.Outcome.ok));
        self.writer.int(u32, 0);
    }
    return 0;
}

/// Pushes the compiled chunk, or a message. As an expression first, if the request says so.
fn compile(L: *lua.State, self: *Evaluation) c_int {
    if (self.request.flags & protocol.evaluate_flag_prelude != 0) {
        lua.pushString(L, self.source);
        prelude.pushNeeded(L);
        return lua.ok;
    }
    if (self.request.flags & protocol.evaluate_flag_expression != 0) {
        const status = load(L, self, expression_prefix);
        self.prefix_results = 1;
        if (status != lua.err_syntax) return status;
        self.prefix_results = 0;
        lua.pop(L, 1);
    }
    return load(L, self, "");
}

noinline fn load(L: *lua.State, self: *Evaluation, prefix: []const u8) c_int {
    var reader: SourceReader = .{
        .prefix = prefix,
        .lines_left = self.request.line_offset,
        .present = self.source,
        .length = self.request.source_length,
    };
    code.core_source_serial = self.request.source_serial;
    defer code.core_source_serial = 0;
    return lua.lua_load(L, SourceReader.read, &reader, self.name.ptr, "bt");
}

fn pushArguments(L: *lua.State, self: *Evaluation) wire.DecodeError!c_int {
    if (self.arguments.len == 0) return 0;
    var reader: wire.Reader = .{ .bytes = self.arguments };
    const count = try reader.int(u32);
    if (count > self.arguments.len) return error.Truncated;
    for (0..count) |_| try reader.push(L, 0);
    return @intCast(count);
}

noinline fn writeLoadProblem(L: *lua.State, self: *Evaluation, status: c_int) void {
    if (status == lua.err_mem) return writeProblem(L, self, .memory, .with_value);
    trace.rememberSyntaxError(self.name, lua.stringAt(L, -1));
    writeProblem(L, self, .syntax, .with_value);
}

/// Outcome, message, the trace's note, and the error value itself.
noinline fn writeProblem(
    L: *lua.State,
    self: *Evaluation,
    outcome: protocol.Outcome,
    comptime with_value: enum { with_value, without_value },
) void {
    const writer = &self.writer;
    const value = lua.lua_gettop(L);
    writer.int(u8, @backingInt(outcome));
    writer.text(if (lua.typeAt(L, value) == .string) lua.stringAt(L, value) else trace.message());
    const note = trace.note();
    if (note.len > 0 and (outcome != .memory or trace.isOfMemory())) {
        writer.bytes(note);
    } else {
        for (0..4) |_| writer.int(u32, 0);
    }
    if (outcome == .memory or with_value == .without_value) return writer.nil();
    var preview = Preview.init(L, writer, self.request.limits);
    preview.value(value);
}

/// The message handler: notes where the error happened, while the frames are still there.
fn handleError(L: *lua.State) callconv(.c) c_int {
    if (lua.typeAt(L, 1) == .string) {
        trace.remember(L, lua.stringAt(L, 1));
        return 1;
    }
    trace.remember(L, "");
    if (lua.luaL_callmeta(L, 1, "__tostring") != 0 and lua.typeAt(L, -1) == .string) {
        trace.setMessage(lua.stringAt(L, -1));
    } else {
        trace.setMessage("(error object is a ");
        trace.addMessage(std.mem.span(lua.lua_typename(L, lua.lua_type(L, 1))));
        trace.addMessage(" value)");
    }
    lua.lua_settop(L, 1);
    return 1;
}
