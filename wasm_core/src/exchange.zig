//! The buffers that the core and the host exchange bytes through. They are one block, so that images
//! of the VM can leave it out: nothing in it outlives a call.

const protocol = @import("protocol.zig");

pub const Exchange = extern struct {
    io: [protocol.io_buffer_bytes]u8,
    output: [protocol.output_buffer_bytes]u8,
    trace: [protocol.trace_buffer_bytes]u8,
    message: [4096]u8,
    batch: Batch,
    request: [4096]u8,
    reply: [protocol.store_reply_bytes]u8,
};

/// Changes on their way to the store: what APPLY begins with, and the strings that follow.
pub const Batch = extern struct {
    record_count: u32,
    string_count: u32,
    records: [protocol.store_records_max]protocol.Record,
    strings: [protocol.store_strings_bytes]u8,
};

pub var exchange: Exchange align(16) = undefined;
