//! Ids of tables, functions and cells: given out from a block that the store has reserved.

const lua = @import("lua.zig");
const Request = @import("storecall.zig").Request;

const block = 256;
var first_free: lua.Integer = 0;
var end: lua.Integer = 0;

/// Sees to it that so many ids are at hand, so that taking them cannot fail.
pub fn ensure(L: *lua.State, count: lua.Integer) void {
    if (end - first_free >= count) return;
    const wanted: u32 = @intCast(@max(count, block));
    var request: Request = .{};
    request.int(u32, wanted);
    var reply = request.send(L, .reserve);
    first_free = reply.int(i64);
    end = first_free + wanted;
}

/// What is left of the block is not used any more: another VM that went on from the same image may
/// have used it.
pub fn forget() void {
    first_free = 0;
    end = 0;
}

pub fn next(L: *lua.State) lua.Integer {
    ensure(L, 1);
    first_free += 1;
    return first_free - 1;
}
