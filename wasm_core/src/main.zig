//! The core's exports, and nothing else. Each is told in docs/wire-format.md.

const std = @import("std");
const core = @import("core");
const lua = core.lua;
const c = core.internals;
const flush = core.flush;
pub const heap = @import("heap.zig");
const libs = core.libs;
pub const output = @import("output.zig");
const protocol = core.protocol;
const trace = core.trace;
const evaluation = core.evaluate;
const inspect = core.inspect;
const Exchange = core.exchange.Exchange;
const exchange = &core.exchange.exchange;

comptime {
    _ = core;
    _ = @import("libc.zig");
}

/// A failed assertion of ours, or anything that Zig finds wrong: the host sees a trap.
pub const panic = std.debug.no_panic;

extern var __global_base: u8;

var main_state: ?*lua.State = null;
var info: protocol.Info = undefined;

fn address(pointer: anytype) u32 {
    return @intCast(@intFromPtr(pointer));
}

/// The address of the protocol.Info, which tells where everything else is.
export fn core_info() u32 {
    info = .{
        .lua_version = address(protocol.lua_version.ptr),
        .lua_version_length = protocol.lua_version.len,
        .io_buffer = address(&exchange.io),
        .output_buffer = address(&exchange.output),
        .output_length = address(&output.length),
        .output_discard = address(&output.discard),
        .image_start = address(&__global_base),
        .exchange_start = address(exchange),
        .exchange_end = address(exchange) + @sizeOf(Exchange),
        .heap_top = address(&heap.heap.top),
        .running = address(&c.core_control.running),
        .interrupt = address(&c.core_control.interrupt),
        .bytecode = address(&c.core_control.bytecode),
        .cache_entries_max = address(&flush.cache_entries_max),
        .hook = .{},
    };
    c.core_hook_layout(&info.hook);
    return address(&info);
}

/// Creates the VM. Returns 0, or 1 when the memory is too small for it.
export fn core_open() u32 {
    heap.init();
    const L = lua.lua_newstate(heap.luaAlloc, null) orelse return 1;
    lua.pushFunction(L, libs.open);
    if (lua.lua_pcallk(L, 0, 0, 0, 0, null) != lua.ok) return 1;
    _ = lua.lua_gc(L, lua.gc_collect);
    main_state = L;
    trace.main_state = L;
    return 0;
}

/// Evaluates the request in the I/O buffer. Returns the length of the response's last piece there.
export fn core_evaluate(request_length: u32) u32 {
    return evaluation.evaluate(main_state.?, request_length, false);
}

/// Compiles the request's source without running it.
export fn core_compile(request_length: u32) u32 {
    return evaluation.evaluate(main_state.?, request_length, true);
}

/// The names and types of the fields of the table that the request's path leads to.
export fn core_fields(request_length: u32) u32 {
    return inspect.fields(main_state.?, request_length);
}

/// Decodes the value in the I/O buffer and encodes it again.
export fn core_echo(request_length: u32) u32 {
    return inspect.echo(main_state.?, request_length);
}

/// Sends to the store what was changed and not sent yet.
export fn core_flush() u32 {
    return evaluation.flushChanges(main_state.?);
}

/// The ids of the external tables and persisted functions that are alive in the VM.
export fn core_references() u32 {
    return inspect.references(main_state.?);
}

/// Bytes that Lua's collector counts as in use.
export fn core_lua_bytes() u32 {
    const kilobytes: u32 = @intCast(lua.lua_gc(main_state.?, lua.gc_count));
    return kilobytes * 1024 + @as(u32, @intCast(lua.lua_gc(main_state.?, lua.gc_count_bytes)));
}

/// A full collection. Finalizers may run. Returns 0, or 1 if one of them could not.
export fn core_collect() u32 {
    output.reset();
    return inspect.collect(main_state.?);
}

/// After the host has stopped a call in the middle: notes where Lua was, as for an error, in the
/// I/O buffer. Returns the note's length, 0 if no Lua was running. The VM's memory must be restored
/// afterwards.
export fn core_trace() u32 {
    trace.rememberStop(c.core_control.running);
    const note = trace.note();
    @memcpy(exchange.io[0..note.len], note);
    return @intCast(note.len);
}

/// The protocol's numbers as text, in the I/O buffer. Returns its length.
export fn core_description() u32 {
    const text = protocol.description;
    @memcpy(exchange.io[0..text.len], text);
    return text.len;
}
