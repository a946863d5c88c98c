//! The type-tagged byte format of values, both ways. Little endian; lengths are u32 and are checked
//! against what is there before anything is read.

const std = @import("std");
const lua = @import("lua.zig");
const host = @import("host.zig");
const exchange = &@import("exchange.zig").exchange;

pub const Tag = enum(u8) {
    nil = 0x00,
    /// u8, 0 or 1.
    boolean = 0x01,
    /// i64.
    integer = 0x02,
    /// f64.
    float = 0x03,
    /// u32 length, bytes.
    string = 0x04,
    /// Reference to a persisted function: i64 id.
    function = 0x05,
    /// A value that is stored by name: u32 length, bytes.
    permanent = 0x06,
    /// Reference to an external table: i64 id, i64 id of its metatable (0: none).
    external_table = 0x07,
    /// Reserved: batch operation.
    batch_operation = 0x08,
    /// Reserved: compressed data.
    compressed = 0x09,
    /// u32 count, then that many pairs of key and value.
    table = 0x0a,
    /// A bounded look at a table: u32 address, u8 flags, string type name, u32 count, pairs.
    table_preview = 0x0b,
    /// u32 address, string: where it is defined or what it is called.
    function_preview = 0x0c,
    /// u32 address, string type name.
    userdata_preview = 0x0d,
    /// u32 address, string status.
    thread_preview = 0x0e,
    /// A long string's beginning: u64 full length, u32 length, bytes.
    string_preview = 0x0f,
};

/// Tables nested deeper than this are refused when values are decoded.
pub const decode_depth_max = 100;

/// Writes a response: gathers bytes in the I/O buffer and hands them over whenever it is full.
pub const Writer = struct {
    length: u32 = 0,

    pub noinline fn bytes(self: *Writer, source: []const u8) void {
        var rest = source;
        while (rest.len > exchange.io.len - self.length) {
            const room = exchange.io.len - self.length;
            @memcpy(exchange.io[self.length..], rest[0..room]);
            rest = rest[room..];
            _ = host.send(.response, &exchange.io);
            self.length = 0;
        }
        @memcpy(exchange.io[self.length..][0..rest.len], rest);
        self.length += @intCast(rest.len);
    }

    pub noinline fn int(self: *Writer, comptime T: type, value: T) void {
        var buffer: [@sizeOf(T)]u8 = undefined;
        std.mem.writeInt(T, &buffer, value, .little);
        self.bytes(&buffer);
    }

    pub fn tag(self: *Writer, value: Tag) void {
        self.int(u8, @backingInt(value));
    }

    /// A u32 length and the bytes.
    pub noinline fn text(self: *Writer, source: []const u8) void {
        self.int(u32, @intCast(source.len));
        self.bytes(source);
    }

    pub fn nil(self: *Writer) void {
        self.tag(.nil);
    }

    pub fn boolean(self: *Writer, value: bool) void {
        self.tag(.boolean);
        self.int(u8, @intFromBool(value));
    }

    pub fn integer(self: *Writer, value: i64) void {
        self.tag(.integer);
        self.int(i64, value);
    }

    pub fn float(self: *Writer, value: f64) void {
        self.tag(.float);
        self.int(u64, @bitCast(value));
    }

    pub fn string(self: *Writer, value: []const u8) void {
        self.tag(.string);
        self.text(value);
    }
};

pub const DecodeError = error{ Truncated, UnknownTag, BadBoolean, BadKey, TooDeep, StackOverflow };

/// Reads values from bytes that may be anything.
pub const Reader = struct {
    bytes: []const u8,
    position: usize = 0,

    pub fn take(self: *Reader, count: usize) DecodeError![]const u8 {
        if (count > self.bytes.len - self.position) return error.Truncated;
        defer self.position += count;
        return self.bytes[self.position..][0..count];
    }

    pub fn int(self: *Reader, comptime T: type) DecodeError!T {
        const source = try self.take(@sizeOf(T));
        return std.mem.readInt(T, source[0..@sizeOf(T)], .little);
    }

    pub fn text(self: *Reader) DecodeError![]const u8 {
        return self.take(try self.int(u32));
    }

    /// Pushes the next value. Stack: +1 on success, anything above the old top on an error.
    /// May raise a Lua memory error; no frame of this function has a pending defer then.
    pub fn push(self: *Reader, L: *lua.State, depth: u32) DecodeError!void {
        if (depth > decode_depth_max) return error.TooDeep;
        if (lua.lua_checkstack(L, 4) == 0) return error.StackOverflow;
        const tag_byte = try self.int(u8);
        const tag = std.enums.fromInt(Tag, tag_byte) orelse return error.UnknownTag;
        switch (tag) {
            .nil => lua.lua_pushnil(L),
            .boolean => switch (try self.int(u8)) {
                0, 1 => |value| lua.lua_pushboolean(L, value),
                else => return error.BadBoolean,
            },
            .integer => lua.lua_pushinteger(L, try self.int(i64)),
            .float => lua.lua_pushnumber(L, @bitCast(try self.int(u64))),
            .string => lua.pushString(L, try self.text()),
            .table => try self.pushTable(L, depth),
            else => return error.UnknownTag,
        }
    }

    fn pushTable(self: *Reader, L: *lua.State, depth: u32) DecodeError!void {
        const count = try self.int(u32);
        // A pair takes two bytes at least: a count that cannot be true reserves nothing.
        if (count > (self.bytes.len - self.position) / 2) return error.Truncated;
        lua.lua_createtable(L, 0, @intCast(@min(count, 1 << 20)));
        for (0..count) |_| {
            try self.push(L, depth + 1);
            switch (lua.typeAt(L, -1)) {
                .nil => return error.BadKey,
                .number => {
                    const key = lua.lua_tonumberx(L, -1, null);
                    if (key != key) return error.BadKey;
                },
                else => {},
            }
            try self.push(L, depth + 1);
            lua.lua_rawset(L, -3);
        }
    }
};

pub fn message(failure: DecodeError) [:0]const u8 {
    return switch (failure) {
        error.Truncated => "the value is truncated",
        error.UnknownTag => "the value has an unknown tag",
        error.BadBoolean => "a boolean is neither 0 nor 1",
        error.BadKey => "a table key is nil or NaN",
        error.TooDeep => "tables are nested too deeply",
        error.StackOverflow => "the value is too deep for the stack",
    };
}
