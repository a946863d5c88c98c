//! The contract between the core and its host: operations, outcomes, limits and the places in linear
//! memory that both know. Everything is little endian. docs/wire-format.md tells it in prose; the
//! host's copy of the numbers (lua_ls_persist/protocol.py) is generated from this file.

const std = @import("std");
const wire = @import("wire.zig");
const c = @import("internals.zig");

/// Raised when anything here or in wire.zig changes its meaning; the host refuses another number.
pub const layout_version: u32 = 2;

pub const lua_version = "5.4.8";

/// Requests and responses of exported calls pass through this many bytes; longer ones in pieces.
pub const io_buffer_bytes: u32 = 65536;
/// Output is gathered here and goes to the host when it is full and when the call ends.
pub const output_buffer_bytes: u32 = 16384;
/// The place of an error and the frames around it, noted without allocating.
pub const trace_buffer_bytes: u32 = 16384;
/// Batches of changes go to the store from a buffer of this many records ...
pub const store_records_max: u32 = 768;
/// ... and this many bytes of strings; longer strings go in pieces.
pub const store_strings_bytes: u32 = 24576;
/// The store's replies pass through this many bytes.
pub const store_reply_bytes: u32 = 32768;

/// What a host import does. `call(operation, handle, pointer, length, offset) -> i32`.
pub const Operation = enum(u32) {
    /// Output records at pointer, length. Returns 0, or 1: no more output is wanted.
    output = 1,
    /// A piece of the response of the call that runs. Returns 0.
    response = 2,
    /// Fills up to length bytes at pointer with the request's payload from offset. Returns how many.
    payload = 3,
    /// Opens the file named by the bytes at pointer, length. Returns a handle, or -1: not found.
    open = 4,
    /// Fills up to length bytes at pointer with the file's content from offset. Returns how many.
    read = 5,
    /// Closes the handle. Returns 0.
    close = 6,
    /// A question to the store, or something for it: the request's last piece at pointer, length;
    /// the handle is the StoreOperation. Returns the reply's length; its first bytes, at most
    /// store_reply_bytes, are put at the address given as offset.
    store = 7,
    /// A piece of a longer request to the store. Returns 0.
    store_piece = 8,
    /// Fills up to length bytes at pointer with the store's last reply from offset. Returns how many.
    store_read = 9,
    /// The serial number of the source text that an open file's content is. 0: none.
    source = 10,
};

/// What the core asks of the store, or tells it. Requests and replies: docs/wire-format.md.
pub const StoreOperation = enum(u32) {
    reserve = 1,
    apply = 2,
    page = 3,
    get = 4,
    length = 5,
    root = 6,
    table_info = 7,
    drop = 9,
    function = 10,
    code = 11,
    define_code = 12,
    define_function = 13,
    cells = 14,
    verify_code = 15,
    begin = 16,
    release = 17,
    rollback = 18,
    collect = 19,
    prelude = 22,
    data = 23,
};

/// What a record of an APPLY batch does.
pub const RecordOp = enum(u8) {
    set = 1,
    delete = 2,
    new_table = 3,
    metatable = 4,
    cell = 5,
    clear = 6,
};

/// One record of an APPLY batch: a change of an entry, a table or a cell.
pub const Record = extern struct {
    id: i64,
    key: i64,
    value: i64,
    op: u8,
    key_tag: u8,
    value_tag: u8,
    padding: [5]u8 = @splat(0),
};

/// The id of the table that is the root `Memory`, in every store.
pub const memory_table_id: i64 = 1;

/// What a host import tells: `clock(kind, argument) -> f64`.
pub const Clock = enum(u32) {
    /// Seconds since 1970-01-01 UTC.
    utc = 0,
    /// Seconds of a monotonic clock, for os.clock.
    monotonic = 1,
    /// Seconds that local time is ahead of UTC at the UTC time given as argument.
    local_offset = 2,
    /// 1 if daylight saving time is in force at the UTC time given as argument, 0 otherwise.
    local_daylight_saving = 3,
};

/// How a call of the core ended: the first byte of its response.
pub const Outcome = enum(u8) {
    /// Followed by a count (u32) and that many values.
    ok = 0,
    /// The source is not Lua. Followed by a problem.
    syntax = 1,
    /// An error reached the top. Followed by a problem.
    runtime = 2,
    /// Memory ran out. Followed by a problem.
    memory = 3,
    /// The request itself is malformed. Followed by a message.
    request = 4,
    /// The program ended well, but an upvalue of a persisted function has a value that cannot be
    /// stored. Followed by a problem.
    persistence = 5,
};

/// Which binary chunks a program may load.
pub const Bytecode = enum(u32) {
    refused = 0,
    /// Whatever there is. It can corrupt the VM.
    allowed = 1,
    /// What the store says it has signed, if the verifier lets it pass.
    signed = 2,
};

pub const Stream = enum(u8) { stdout = 0, stderr = 1, warning = 2 };

/// Bits of the flags of an evaluation.
pub const evaluate_flag_expression: u32 = 1;
/// Somebody watches: output goes to the host as it is written.
pub const evaluate_flag_live: u32 = 2;
/// Somebody else has changed the store: what is cached of it is stale.
pub const evaluate_flag_stale: u32 = 4;
/// What the program did before an error reached the top is kept, in the store as well.
pub const evaluate_flag_keep: u32 = 8;
/// The source is the name of a function of the prelude, which is called with the arguments.
pub const evaluate_flag_prelude: u32 = 16;

/// Bits of a frame's flags.
pub const frame_flag_tail_call: u8 = 1;
/// Frames were left out before this one.
pub const frame_flag_gap: u8 = 2;

/// Bits of a table preview's flags.
pub const preview_flag_omitted: u8 = 1;
/// The table stands further up in the same preview.
pub const preview_flag_cycle: u8 = 2;
/// Not looked into: too deep, or too much was shown already.
pub const preview_flag_unopened: u8 = 4;

/// Where things are in linear memory. The host reads this struct once, from `core_info`.
pub const Info = extern struct {
    layout_version: u32 = layout_version,
    info_bytes: u32 = @sizeOf(Info),
    lua_version: u32,
    lua_version_length: u32,
    io_buffer: u32,
    io_buffer_bytes: u32 = io_buffer_bytes,
    /// Output records that the host has not seen yet, and how many bytes they have.
    output_buffer: u32,
    output_length: u32,
    /// A word: not 0 when the host wants no more output.
    output_discard: u32,
    /// The image of the VM: from here ...
    image_start: u32,
    /// ... without what lies between these two ...
    exchange_start: u32,
    exchange_end: u32,
    /// ... up to the address in this word.
    heap_top: u32,
    /// Words of core_Control (c/internals.h).
    running: u32,
    interrupt: u32,
    bytecode: u32,
    /// A word: so many entries of the store are kept in caches.
    cache_entries_max: u32,
    hook: c.HookLayout,
};

/// The numbers above as lines `name=value`, from which the host's copy is generated.
pub const description = blk: {
    @setEvalBranchQuota(100000);
    var text: []const u8 = "";
    for (.{
        .{ "LAYOUT_VERSION", layout_version },
        .{ "IO_BUFFER_BYTES", io_buffer_bytes },
        .{ "OUTPUT_BUFFER_BYTES", output_buffer_bytes },
        .{ "TRACE_BUFFER_BYTES", trace_buffer_bytes },
        .{ "EVALUATE_FLAG_EXPRESSION", evaluate_flag_expression },
        .{ "EVALUATE_FLAG_LIVE", evaluate_flag_live },
        .{ "EVALUATE_FLAG_STALE", evaluate_flag_stale },
        .{ "EVALUATE_FLAG_KEEP", evaluate_flag_keep },
        .{ "EVALUATE_FLAG_PRELUDE", evaluate_flag_prelude },
        .{ "STORE_REPLY_BYTES", store_reply_bytes },
        .{ "RECORD_BYTES", @sizeOf(Record) },
        .{ "MEMORY_TABLE_ID", memory_table_id },
        .{ "FRAME_FLAG_TAIL_CALL", frame_flag_tail_call },
        .{ "FRAME_FLAG_GAP", frame_flag_gap },
        .{ "PREVIEW_FLAG_OMITTED", preview_flag_omitted },
        .{ "PREVIEW_FLAG_CYCLE", preview_flag_cycle },
        .{ "PREVIEW_FLAG_UNOPENED", preview_flag_unopened },
        .{ "DECODE_DEPTH_MAX", wire.decode_depth_max },
    }) |pair| text = text ++ std.fmt.comptimePrint("{s}={d}\n", .{ pair[0], pair[1] });
    for (.{
        .{ "Operation", Operation },
        .{ "StoreOperation", StoreOperation },
        .{ "RecordOp", RecordOp },
        .{ "Clock", Clock },
        .{ "Outcome", Outcome },
        .{ "Bytecode", Bytecode },
        .{ "Stream", Stream },
        .{ "Tag", wire.Tag },
    }) |pair| {
        const info = @typeInfo(pair[1]).@"enum";
        for (info.field_names, info.field_values) |name, value| {
            text = text ++ std.fmt.comptimePrint("{s}.{s}={d}\n", .{ pair[0], name, value });
        }
    }
    var words: []const u8 = "";
    for (@typeInfo(Info).@"struct".field_names, @typeInfo(Info).@"struct".field_types) |name, T| {
        if (T == u32) {
            words = words ++ std.fmt.comptimePrint("Info.{s}={d}\n", .{ name, @offsetOf(Info, name) });
        }
    }
    for (@typeInfo(c.HookLayout).@"struct".field_names) |name| {
        words = words ++ std.fmt.comptimePrint("Info.hook_{s}={d}\n", .{
            name, @offsetOf(Info, "hook") + @offsetOf(c.HookLayout, name),
        });
    }
    break :blk text ++ words ++ std.fmt.comptimePrint("Info.SIZE={d}\n", .{@sizeOf(Info)});
};
