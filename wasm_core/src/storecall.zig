//! Questions to the store and its answers: requests gathered in one buffer and sent in pieces when
//! they are longer, replies read through another. A reply is good until the next request is sent.

const std = @import("std");
const lua = @import("lua.zig");
const host = @import("host.zig");
const protocol = @import("protocol.zig");
const Tag = @import("wire.zig").Tag;
const exchange = &@import("exchange.zig").exchange;

pub const Request = struct {
    length: u32 = 0,

    pub noinline fn bytes(self: *Request, source: []const u8) void {
        if (source.len > exchange.request.len - self.length) {
            self.flush();
            if (source.len > exchange.request.len) {
                _ = host.send(.store_piece, source);
                return;
            }
        }
        @memcpy(exchange.request[self.length..][0..source.len], source);
        self.length += @intCast(source.len);
    }

    fn flush(self: *Request) void {
        if (self.length == 0) return;
        _ = host.send(.store_piece, exchange.request[0..self.length]);
        self.length = 0;
    }

    pub fn int(self: *Request, comptime T: type, number: T) void {
        var buffer: [@sizeOf(T)]u8 = undefined;
        std.mem.writeInt(T, &buffer, number, .little);
        self.bytes(&buffer);
    }

    /// A u32 length and the bytes.
    pub fn text(self: *Request, source: []const u8) void {
        self.int(u32, @intCast(source.len));
        self.bytes(source);
    }

    pub noinline fn send(self: *Request, L: *lua.State, operation: protocol.StoreOperation) Reply {
        return sendLast(L, operation, exchange.request[0..self.length]);
    }
};

/// Sends a request's last piece, and returns the reply. Raises a Lua error if the store failed; the
/// evaluation then ends, whatever the program does about that error.
pub noinline fn sendLast(L: *lua.State, operation: protocol.StoreOperation, piece: []const u8) Reply {
    const length = host.ask(operation, piece, &exchange.reply);
    if (length < 0) _ = lua.luaL_error(L, "the store failed");
    return .{ .length = @intCast(length) };
}

pub const Reply = struct {
    length: u32,
    position: u32 = 0,
    /// Which part of the reply the buffer has.
    start: u32 = 0,

    /// The next bytes, at most as many as the buffer holds. Good until the next call. What the host
    /// sends is well formed; where it is not, zeros are read.
    pub noinline fn take(self: *Reply, count: u32) []const u8 {
        std.debug.assert(count <= exchange.reply.len);
        const end = self.start + @as(u32, exchange.reply.len);
        if (self.position + count > end) {
            const present = host.fill(.store_read, 0, &exchange.reply, self.position);
            if (present < count) @memset(exchange.reply[present..count], 0);
            self.start = self.position;
        }
        defer self.position += count;
        return exchange.reply[self.position - self.start ..][0..count];
    }

    pub fn int(self: *Reply, comptime T: type) T {
        return std.mem.readInt(T, self.take(@sizeOf(T))[0..@sizeOf(T)], .little);
    }

    pub fn tag(self: *Reply) Tag {
        return std.enums.fromInt(Tag, self.int(u8)) orelse .nil;
    }

    /// Pushes a string: a u32 length and the bytes. Stack: +1.
    pub noinline fn pushText(self: *Reply, L: *lua.State) void {
        const length = self.int(u32);
        if (length <= exchange.reply.len) return lua.pushString(L, self.take(length));
        const buffer: [*]u8 = @ptrCast(lua.lua_newuserdatauv(L, length, 0).?);
        self.read(buffer[0..length]);
        lua.pushString(L, buffer[0..length]);
        lua.remove(L, -2);
    }

    /// Copies bytes of any number.
    pub noinline fn read(self: *Reply, target: []u8) void {
        var done: usize = 0;
        while (done < target.len) {
            const count = @min(target.len - done, exchange.reply.len / 2);
            @memcpy(target[done..][0..count], self.take(@intCast(count)));
            done += count;
        }
    }
};
