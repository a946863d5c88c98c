//! The buffers that the core and the host exchange bytes through. They are one block, so that images
//! of the VM can leave it out: nothing in it outlives a call.

const protocol = @import("protocol.zig");

pub const Exchange = extern struct {
    io: [protocol.io_buffer_bytes]u8,
    output: [protocol.output_buffer_bytes]u8,
    trace: [protocol.trace_buffer_bytes]u8,
    message: [4096]u8,
};

pub var exchange: Exchange align(16) = undefined;
