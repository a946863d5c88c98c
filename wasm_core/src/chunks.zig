//! Binary chunks, before Lua sees them: all are looked at by the verifier, and what a program loads must
//! have been signed by the store.

const std = @import("std");
const lua = @import("lua.zig");
const flush = @import("flush.zig");
const heap = @import("root").heap;
const verifier = @import("verify.zig");
const Request = @import("storecall.zig").Request;

/// Null if the interpreter can run this chunk; otherwise what is wrong with it, good until the next
/// call. Raises a Lua memory error. Stack: unchanged.
pub fn problem(L: *lua.State, bytes: []const u8) ?[]const u8 {
    const size = verifier.scratchBytes(bytes.len);
    // Nothing between here and the release can raise.
    if (heap.luaAlloc(null, null, 0, size)) |memory| {
        defer _ = heap.luaAlloc(null, memory, size, 0);
        return verifier.verify(bytes, @alignCast(memory[0..size]));
    }
    // Lua collects garbage to find the room, or raises the error that there is none.
    const memory: [*]u8 = @ptrCast(lua.lua_newuserdatauv(L, size, 0).?);
    defer lua.pop(L, 1);
    return verifier.verify(bytes, @alignCast(memory[0..size]));
}

/// Called by core_undump in c/internals.c: pushes a sentence why a program may not load this chunk, and
/// returns 1; or returns 0.
export fn core_chunk_refused(L: *lua.State, bytes: [*]const u8, length: usize) c_int {
    lua.luaL_checkstack(L, 4, null);
    if (problem(L, bytes[0..length])) |reason| {
        lua.pushString(L, reason);
        return 1;
    }
    // A function that this evaluation has stored counts as well.
    flush.flushNow(L);
    var request: Request = .{};
    request.int(u32, @intCast(length));
    request.bytes(bytes[0..length]);
    var reply = request.send(L, .verify_code);
    if (reply.int(u8) != 0) return 0;
    reply.pushText(L);
    return 1;
}
