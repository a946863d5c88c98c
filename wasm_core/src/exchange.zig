//! The buffers that the core and the host exchange bytes through. They are one block, so that images
//! of the VM can leave it out: nothing in it outlives a call.

const protocol = @import("protocol.zig");

pub const Exchange = extern struct {
    io: [protocol.io_buffer_bytes]u8,
    output: [protocol.output_buffer_bytes]u8,
    trace: [protocol.trace_buffer_bytes]u8,
    message: [4096]u8,
    batch: Batch,
    /// Where short strings stand in the batch, by their addresses in the VM.
    known: [256]KnownString,
    /// The number of the batch, by which it is known which of those are of this batch. Here, since
    /// images of the VM must not turn it back.
    batch_serial: u32,
    request: [4096]u8,
    kept_error: KeptError,
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

pub const KnownString = extern struct { batch: u32, offset: u32, length: u32, number: u32 };

/// An error value on its way out of a transaction that is rolled back.
pub const KeptError = extern struct {
    kind: enum(u8) { nil, boolean, integer, float, text, table, external_table },
    length: u32,
    bits: i64,
    bytes: [4096]u8,
};
