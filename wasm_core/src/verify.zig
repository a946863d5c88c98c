//! A structural verifier of Lua 5.4 binary chunks: whether the interpreter can run these bytes without
//! ever trusting what is not true. It looks at the bytes before Lua does, allocates nothing, and its
//! own recursion is a stack in the scratch memory that it is given.
//!
//! It is a second line: what a store gives out is signed. What it refuses no compiler makes; what it
//! lets pass may still be a program that does harm as any source text could.
//!
//! Here is the format (lundump.c), and debug information; verify_code.zig has the instructions one by
//! one, verify_flow.zig what must hold on every way through them.

const std = @import("std");
const verify_code = @import("verify_code.zig");
const verify_flow = @import("verify_flow.zig");
const Child = verify_code.Child;
const Constant = verify_code.Constant;
const Function = verify_code.Function;
const Upvalue = verify_code.Upvalue;

const Error = error{Refused};

/// Functions nested deeper than this cannot be compiled either (LUAI_MAXCCALLS).
const depth_max = 200;

/// The shortest prototype: fourteen fields of a byte, and one instruction.
const prototype_bytes_min = 18;

const signature = "\x1bLua" ++ "\x54" ++ "\x00" ++ "\x19\x93\r\n\x1a\n" ++ "\x04\x08\x08" ++
    "\x78\x56\x00\x00\x00\x00\x00\x00" ++ "\x00\x00\x00\x00\x00\x28\x77\x40";

/// lobject.h, llimits.h, ldebug.h.
const int_max = 0x7fff_ffff;
const size_max = 0xffff_ffff;
const short_string_max = 40;
const upvalues_max = 255;
const local_variables_max = 32767;
const absolute_line_mark: u8 = 0x80;
const instructions_per_absolute_line = 128;

/// How much scratch memory, 8-aligned, a chunk of so many bytes may need.
pub fn scratchBytes(length: usize) usize {
    // Each instruction has four bytes, each constant one, and each nested prototype eighteen.
    const tables = length + length / prototype_bytes_min * @sizeOf(Child);
    return framesFor(length) * @sizeOf(Frame) + tables + verify_flow.scratchBytes(length / 4) + 64;
}

fn framesFor(length: usize) usize {
    return @min(@as(usize, depth_max), length / prototype_bytes_min + 1);
}

/// Null if the chunk is fine; otherwise a sentence, in a static buffer, what is wrong and where.
pub fn verify(bytes: []const u8, scratch: []align(8) u8) ?[]const u8 {
    std.debug.assert(scratch.len >= scratchBytes(bytes.len));
    var verifier: Verifier = .{ .bytes = bytes, .scratch = scratch };
    verifier.chunk() catch return verifier.explain();
    return null;
}

var message_buffer: [256]u8 = undefined;

/// A function whose parts before the nested ones were read.
const Frame = struct {
    function: Function,
    line: u32,
    /// The scratch memory that was in use when it began.
    mark: usize,
    /// How many nested functions were read.
    child: u32 = 0,
};

const Verifier = struct {
    bytes: []const u8,
    position: usize = 0,
    scratch: []align(8) u8,
    used: usize = 0,
    frames: []Frame = &.{},
    depth: usize = 0,
    reason: []const u8 = "",
    /// The instruction that is wrong, if it is one.
    pc: ?u32 = null,

    fn refuse(self: *Verifier, reason: []const u8) Error {
        self.reason = reason;
        return error.Refused;
    }

    /// Says where it is, and what.
    fn explain(self: *Verifier) []const u8 {
        var writer: MessageWriter = .{};
        if (self.depth > 0) {
            writer.text("in the function defined at line ");
            writer.number(self.frames[self.depth - 1].line);
            if (self.pc) |pc| {
                writer.text(", instruction ");
                writer.number(pc);
                writer.text(" ");
            } else writer.text(" ");
        } else writer.text("it ");
        writer.text(self.reason);
        return message_buffer[0..writer.length];
    }

    // -- scratch memory

    fn reserve(self: *Verifier, comptime T: type, count: usize) []T {
        const start = std.mem.alignForward(usize, self.used, @alignOf(T));
        self.used = start + count * @sizeOf(T);
        std.debug.assert(self.used <= self.scratch.len);
        const items: [*]T = @ptrCast(@alignCast(self.scratch.ptr + start));
        return items[0..count];
    }

    // -- reading

    fn left(self: *const Verifier) usize {
        return self.bytes.len - self.position;
    }

    fn take(self: *Verifier, count: usize) Error![]const u8 {
        if (count > self.left()) return self.refuse("is truncated");
        defer self.position += count;
        return self.bytes[self.position..][0..count];
    }

    fn byte(self: *Verifier) Error!u8 {
        return (try self.take(1))[0];
    }

    /// Seven bits in each byte, the highest first, the last byte marked; in the shortest form.
    fn unsigned(self: *Verifier, comptime limit: u32) Error!u32 {
        var number: u32 = 0;
        while (true) {
            const next = try self.byte();
            if (number >= limit >> 7) return self.refuse("has a number that is too large");
            if (number == 0 and next == 0) return self.refuse("has a number in an unknown form");
            number = (number << 7) | (next & 0x7f);
            if (next & 0x80 != 0) return number;
        }
    }

    fn int(self: *Verifier) Error!u32 {
        return self.unsigned(int_max);
    }

    /// A number of things that take at least so many bytes each.
    fn countOf(self: *Verifier, comptime bytes_min: u32) Error!u32 {
        const number = try self.int();
        if (number > self.left() / bytes_min) return self.refuse("is truncated");
        return number;
    }

    /// The length of a string, which was skipped; null if there is none.
    fn string(self: *Verifier) Error!?usize {
        const size = try self.unsigned(size_max);
        if (size == 0) return null;
        _ = try self.take(size - 1);
        return size - 1;
    }

    // -- the format

    fn chunk(self: *Verifier) Error!void {
        if (self.left() < signature.len) return self.refuse("is truncated");
        if (!std.mem.startsWith(u8, self.bytes, signature)) {
            return self.refuse("is not a binary chunk of Lua 5.4");
        }
        self.position = signature.len;
        const upvalue_count = try self.byte();
        self.frames = self.reserve(Frame, framesFor(self.bytes.len));
        try self.begin();
        if (self.frames[0].function.upvalue_count != upvalue_count) {
            return self.refuse("has not the number of upvalues that it tells");
        }
        while (self.depth > 0) {
            const frame = &self.frames[self.depth - 1];
            if (frame.child < frame.function.children.len) {
                try self.begin();
            } else {
                try self.finish(frame);
                self.used = frame.mark;
                self.depth -= 1;
            }
        }
        if (self.left() > 0) return self.refuse("is followed by something else");
    }

    /// Reads a function up to where its nested ones stand.
    fn begin(self: *Verifier) Error!void {
        if (self.depth == self.frames.len) {
            return self.refuse("has functions nested too deeply");
        }
        const frame = &self.frames[self.depth];
        frame.* = .{
            .line = 0,
            .mark = self.used,
            .function = .{
                .code = &.{},
                .constants = &.{},
                .children = &.{},
                .upvalue_count = 0,
                .register_count = 0,
                .parameter_count = 0,
                .is_vararg = false,
            },
        };
        const function = &frame.function;
        _ = try self.string(); // the source's name
        frame.line = try self.int();
        self.depth += 1;
        _ = try self.int(); // the last line
        function.parameter_count = try self.byte();
        const is_vararg = try self.byte();
        if (is_vararg > 1) return self.refuse("has variable arguments of an unknown kind");
        function.is_vararg = is_vararg != 0;
        function.register_count = try self.byte();
        if (function.register_count < 2 or function.register_count < function.parameter_count) {
            return self.refuse("has too few registers");
        }
        const instruction_count = try self.countOf(4);
        if (instruction_count == 0) return self.refuse("has no instructions");
        function.code = std.mem.bytesAsSlice(u32, try self.take(instruction_count * 4));
        function.constants = try self.constants();
        const upvalues = try self.upvalueDescriptions();
        function.upvalue_count = @intCast(upvalues.len);
        if (self.depth > 1) {
            const parent = &self.frames[self.depth - 2];
            const siblings: []Child = @constCast(parent.function.children);
            siblings[parent.child] = .{ .upvalues = upvalues };
            parent.child += 1;
        }
        function.children = self.reserve(Child, try self.countOf(prototype_bytes_min));
    }

    fn constants(self: *Verifier) Error![]const Constant {
        const kinds = self.reserve(Constant, try self.countOf(1));
        for (kinds) |*kind| {
            kind.* = switch (try self.byte()) {
                0x00, 0x01, 0x11 => .other, // nil, false, true
                0x03 => .integer,
                0x13 => .float,
                0x04 => .short_string,
                0x14 => .long_string,
                else => return self.refuse("has a constant of an unknown type"),
            };
            switch (kind.*) {
                .other => {},
                .integer, .float => _ = try self.take(8),
                .short_string, .long_string => {
                    const length = try self.string() orelse
                        return self.refuse("has a constant string that is none");
                    if ((length <= short_string_max) != (kind.* == .short_string)) {
                        return self.refuse("has a constant string of another length than it tells");
                    }
                },
            }
        }
        return kinds;
    }

    fn upvalueDescriptions(self: *Verifier) Error![]const Upvalue {
        const number = try self.countOf(@sizeOf(Upvalue));
        if (number > upvalues_max) return self.refuse("has too many upvalues");
        const descriptions = std.mem.bytesAsSlice(Upvalue, try self.take(number * @sizeOf(Upvalue)));
        for (descriptions) |description| {
            if (description[0] > 1 or description[2] > 3) {
                return self.refuse("has an upvalue of an unknown kind");
            }
        }
        return descriptions;
    }

    /// Looks at a function whose nested ones were read, and reads the rest of it.
    fn finish(self: *Verifier, frame: *Frame) Error!void {
        const function = &frame.function;
        self.checkCode(function) catch {
            self.pc = function.pc;
            return self.refuse(function.reason);
        };
        try self.lines(function);
        try self.localVariables(function);
        const names = try self.int();
        if (names != 0 and names != function.upvalue_count) {
            return self.refuse("has names for another number of upvalues");
        }
        for (0..names) |_| _ = try self.string();
    }

    fn checkCode(self: *Verifier, function: *Function) Error!void {
        try verify_code.check(function);
        const start = std.mem.alignForward(usize, self.used, 8);
        try verify_flow.check(function, @alignCast(self.scratch[start..]));
    }

    // -- debug information

    /// The differences between the lines of one instruction and the next, and absolute lines for
    /// some of them, which are found by their distance.
    fn lines(self: *Verifier, function: *const Function) Error!void {
        const differences = try self.take(try self.countOf(1));
        const instruction_count = function.count();
        if (differences.len != 0 and differences.len != instruction_count) {
            return self.refuse("has lines for another number of instructions");
        }
        const absolute_count = try self.countOf(2);
        var pc_before: ?u32 = null;
        for (0..absolute_count) |index| {
            const pc = try self.int();
            _ = try self.int(); // the line
            if (pc >= differences.len or differences[pc] != absolute_line_mark) {
                return self.refuse("has a line for an instruction that has another");
            }
            if (pc_before) |before| if (pc <= before) return self.refuse("has lines out of order");
            if (pc > (index + 1) * instructions_per_absolute_line) {
                return self.refuse("has lines that are too far apart");
            }
            pc_before = pc;
        }
        if (std.mem.count(u8, differences, &.{absolute_line_mark}) != absolute_count or
            (differences.len > 0 and
                absolute_count < (instruction_count - 1) / instructions_per_absolute_line))
        {
            return self.refuse("lacks lines");
        }
    }

    /// Variables in scope at the same time have a register each, and scopes lie within each other.
    fn localVariables(self: *Verifier, function: *const Function) Error!void {
        const number = try self.countOf(3);
        if (number > local_variables_max) return self.refuse("has too many local variables");
        const ends = self.reserve(u32, function.register_count);
        var open: usize = 0;
        var start_before: u32 = 0;
        for (0..number) |_| {
            if (try self.string() == null) return self.refuse("has a local variable without a name");
            const start = try self.int();
            const end = try self.int();
            while (open > 0 and ends[open - 1] <= start) open -= 1;
            if (start < start_before or end < start or end > function.count() or
                (open > 0 and end > ends[open - 1]))
            {
                return self.refuse("has a local variable with an impossible scope");
            }
            start_before = start;
            if (end == start) continue;
            if (open == ends.len) return self.refuse("has more local variables than registers");
            ends[open] = end;
            open += 1;
        }
    }
};

const MessageWriter = struct {
    length: usize = 0,

    fn text(self: *MessageWriter, source: []const u8) void {
        @memcpy(message_buffer[self.length..][0..source.len], source);
        self.length += source.len;
    }

    fn number(self: *MessageWriter, value: u32) void {
        var digits: [10]u8 = undefined;
        var rest = value;
        var start: usize = digits.len;
        while (true) {
            start -= 1;
            digits[start] = @intCast('0' + rest % 10);
            rest /= 10;
            if (rest == 0) break;
        }
        self.text(digits[start..]);
    }
};
