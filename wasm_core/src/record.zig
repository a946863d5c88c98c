//! How values stand in requests to the store, and the batch of changes that gathers them. A record has
//! a fixed size; strings stand behind the records, each once in a batch when it is short.

const std = @import("std");
const lua = @import("lua.zig");
const host = @import("host.zig");
const external = @import("external.zig");
const functions = @import("functions.zig");
const load = @import("load.zig");
const permanents = @import("permanents.zig");
const protocol = @import("protocol.zig");
const storecall = @import("storecall.zig");
const Tag = @import("wire.zig").Tag;
const exchange = &@import("exchange.zig").exchange;

/// Longer strings go to the host in a batch of their own.
const long_string_bytes = 4096;

const Scalar = struct { tag: Tag, bits: i64 = 0 };

/// What a value is on the wire; null for what cannot be stored as it is.
noinline fn scalar(L: *lua.State, index: c_int) ?Scalar {
    switch (lua.typeAt(L, index)) {
        .nil, .none => return .{ .tag = .nil },
        .boolean => return .{ .tag = .boolean, .bits = lua.lua_toboolean(L, index) },
        .number => if (lua.lua_isinteger(L, index) != 0) {
            return .{ .tag = .integer, .bits = lua.lua_tointegerx(L, index, null) };
        } else {
            return .{ .tag = .float, .bits = @bitCast(lua.lua_tonumberx(L, index, null)) };
        },
        .string => return .{ .tag = .string },
        .table => if (external.is(L, index)) {
            external.pushMeta(L, index);
            defer lua.pop(L, 1);
            // A root whose id is not known is only met where it is stored itself.
            load.resolve(L, lua.lua_absindex(L, index), lua.lua_gettop(L));
            return .{ .tag = .external_table, .bits = external.integerSlot(L, -1, .id) };
        },
        .function => {
            const id = functions.idOf(L, index);
            if (id != 0) return .{ .tag = .function, .bits = id };
        },
        else => {},
    }
    if (permanents.isNamed(L, index)) return .{ .tag = .permanent };
    return null;
}

/// Whether the store can take the value without anything being adopted first.
pub noinline fn isStorable(L: *lua.State, index: c_int) bool {
    return switch (lua.typeAt(L, index)) {
        .none, .nil, .boolean, .number, .string => true,
        .table => external.is(L, index) or permanents.isNamed(L, index),
        .function => functions.idOf(L, index) != 0 or permanents.isNamed(L, index),
        else => permanents.isNamed(L, index),
    };
}

/// Appends a value to a request, as docs/wire-format.md tells. Stack: unchanged.
pub noinline fn writeValue(L: *lua.State, request: *storecall.Request, index: c_int) void {
    const value = scalar(L, index) orelse Scalar{ .tag = .nil };
    request.int(u8, @backingInt(value.tag));
    switch (value.tag) {
        .boolean => request.int(u8, @intCast(value.bits)),
        .integer, .float, .function => request.int(i64, value.bits),
        .string => request.text(lua.stringAt(L, index)),
        .external_table => {
            request.int(i64, value.bits);
            request.int(i64, 0);
        },
        .permanent => {
            permanents.pushName(L, index);
            request.text(lua.stringAt(L, -1));
            lua.pop(L, 1);
        },
        else => {},
    }
}

/// The batch that is being gathered. It lies in the exchange buffers: when an evaluation ends, it is
/// empty.
pub const Batch = struct {
    record_count: u32 = 0,
    string_count: u32 = 0,
    string_bytes: u32 = 0,

    pub fn begin() Batch {
        exchange.batch_serial +%= 1;
        return .{};
    }

    /// Adds a record. Index 0 stands for no key or no value. Both must be storable. Stack: unchanged.
    pub noinline fn add(self: *Batch, L: *lua.State, op: protocol.RecordOp, id: i64, key: c_int, value: c_int) void {
        const none: Scalar = .{ .tag = .nil };
        const keys = if (key == 0) none else scalar(L, key).?;
        const values = if (value == 0) none else scalar(L, value).?;
        if (isLong(L, keys, key) or isLong(L, values, value)) {
            return self.addLong(L, op, id, keys, key, values, value);
        }
        const room = exchange.batch.strings.len - self.string_bytes;
        if (self.record_count == exchange.batch.records.len or room < 2 * (4 + long_string_bytes)) {
            self.send(L);
        }
        exchange.batch.records[self.record_count] = .{
            .id = id,
            .key = self.bitsOf(L, keys, key),
            .value = self.bitsOf(L, values, value),
            .op = @backingInt(op),
            .key_tag = @backingInt(keys.tag),
            .value_tag = @backingInt(values.tag),
        };
        self.record_count += 1;
    }

    noinline fn isLong(L: *lua.State, value: Scalar, index: c_int) bool {
        return value.tag == .string and lua.stringAt(L, index).len > long_string_bytes;
    }

    fn bitsOf(self: *Batch, L: *lua.State, value: Scalar, index: c_int) i64 {
        switch (value.tag) {
            .string => return self.number(lua.stringAt(L, index)),
            .permanent => {
                permanents.pushName(L, index);
                defer lua.pop(L, 1);
                return self.number(lua.stringAt(L, -1));
            },
            else => return value.bits,
        }
    }

    /// The number of a short string in this batch, where each stands once.
    noinline fn number(self: *Batch, text: []const u8) i64 {
        const known = &exchange.known[(@intFromPtr(text.ptr) >> 3) % exchange.known.len];
        const strings = &exchange.batch.strings;
        if (known.batch == exchange.batch_serial and known.length == text.len and
            std.mem.eql(u8, strings[known.offset..][0..text.len], text))
        {
            return known.number;
        }
        std.mem.writeInt(u32, strings[self.string_bytes..][0..4], @intCast(text.len), .little);
        self.string_bytes += 4;
        @memcpy(strings[self.string_bytes..][0..text.len], text);
        known.* = .{
            .batch = exchange.batch_serial,
            .offset = self.string_bytes,
            .length = @intCast(text.len),
            .number = self.string_count,
        };
        self.string_bytes += @intCast(text.len);
        self.string_count += 1;
        return known.number;
    }

    /// A record with a long string is a batch of its own, whose strings go from where Lua has them.
    noinline fn addLong(
        self: *Batch,
        L: *lua.State,
        op: protocol.RecordOp,
        id: i64,
        keys: Scalar,
        key: c_int,
        values: Scalar,
        value: c_int,
    ) void {
        self.send(L);
        var request: storecall.Request = .{};
        var record: protocol.Record = .{
            .id = id,
            .key = keys.bits,
            .value = values.bits,
            .op = @backingInt(op),
            .key_tag = @backingInt(keys.tag),
            .value_tag = @backingInt(values.tag),
        };
        const key_is_text = keys.tag == .string or keys.tag == .permanent;
        const value_is_text = values.tag == .string or values.tag == .permanent;
        if (key_is_text) record.key = 0;
        if (value_is_text) record.value = @intFromBool(key_is_text);
        request.int(u32, 1);
        request.int(u32, @as(u32, @intFromBool(key_is_text)) + @intFromBool(value_is_text));
        request.bytes(std.mem.asBytes(&record));
        if (key_is_text) writeText(L, &request, keys, key);
        if (value_is_text) writeText(L, &request, values, value);
        _ = request.send(L, .apply);
    }

    fn writeText(L: *lua.State, request: *storecall.Request, value: Scalar, index: c_int) void {
        if (value.tag == .string) return request.text(lua.stringAt(L, index));
        permanents.pushName(L, index);
        request.text(lua.stringAt(L, -1));
        lua.pop(L, 1);
    }

    /// Sends what was gathered.
    pub fn send(self: *Batch, L: *lua.State) void {
        if (self.record_count == 0) return;
        exchange.batch.record_count = self.record_count;
        exchange.batch.string_count = self.string_count;
        const head = 2 * @sizeOf(u32) + self.record_count * @sizeOf(protocol.Record);
        _ = host.send(.store_piece, std.mem.asBytes(&exchange.batch)[0..head]);
        const strings = exchange.batch.strings[0..self.string_bytes];
        self.* = begin();
        _ = storecall.sendLast(L, .apply, strings);
    }
};
