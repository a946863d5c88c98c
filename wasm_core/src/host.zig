//! The two functions that the core imports, and nothing else.

const protocol = @import("protocol.zig");

extern "host" fn call(operation: u32, handle: u32, pointer: u32, length: u32, offset: u32) i32;
extern "host" fn clock(kind: u32, argument: f64) f64;

pub fn send(operation: protocol.Operation, bytes: []const u8) i32 {
    return call(@backingInt(operation), 0, @intCast(@intFromPtr(bytes.ptr)), @intCast(bytes.len), 0);
}

pub fn fill(operation: protocol.Operation, handle: u32, target: []u8, offset: u32) u32 {
    const count = call(
        @backingInt(operation),
        handle,
        @intCast(@intFromPtr(target.ptr)),
        @intCast(target.len),
        offset,
    );
    if (count <= 0) return 0;
    return @min(@as(u32, @intCast(count)), target.len);
}

/// Asks the store. Returns the reply's length, whose beginning is in `reply`, or a negative number.
pub fn ask(operation: protocol.StoreOperation, request: []const u8, reply: []u8) i32 {
    return call(
        @backingInt(protocol.Operation.store),
        @backingInt(operation),
        @intCast(@intFromPtr(request.ptr)),
        @intCast(request.len),
        @intCast(@intFromPtr(reply.ptr)),
    );
}

pub fn close(handle: u32) void {
    _ = call(@backingInt(protocol.Operation.close), handle, 0, 0, 0);
}

/// The number of the source text that an open file has; 0: none.
pub fn sourceOf(handle: u32) u32 {
    return @intCast(@max(0, call(@backingInt(protocol.Operation.source), handle, 0, 0, 0)));
}

pub fn seconds(kind: protocol.Clock, argument: f64) f64 {
    return clock(@backingInt(kind), argument);
}
