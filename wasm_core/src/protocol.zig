//! The contract between the core and its host: operations, outcomes, limits and the places in linear
//! memory that both know. Everything is little endian. docs/wire-format.md tells it in prose; the
//! host's copy of the numbers (lua_ls_persist/protocol.py) is generated from this file.

const std = @import("std");
const wire = @import("wire.zig");
const c = @import("internals.zig");

/// Raised when anything here or in wire.zig changes its meaning; the host refuses another number.
pub const layout_version: u32 = 1;

pub const lua_version = "5.4.8";

/// Requests and responses of exported calls pass through this many bytes; longer ones in pieces.
pub const io_buffer_bytes: u32 = 65536;
/// Output is gathered here and goes to the host when it is full and when the call ends.
pub const output_buffer_bytes: u32 = 16384;
/// The place of an error and the frames around it, noted without allocating.
pub const trace_buffer_bytes: u32 = 16384;

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
};

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
};

pub const Stream = enum(u8) { stdout = 0, stderr = 1, warning = 2 };

/// Bits of the flags of an evaluation.
pub const evaluate_flag_expression: u32 = 1;
/// Somebody watches: output goes to the host as it is written.
pub const evaluate_flag_live: u32 = 2;

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
        .{ "FRAME_FLAG_TAIL_CALL", frame_flag_tail_call },
        .{ "FRAME_FLAG_GAP", frame_flag_gap },
        .{ "PREVIEW_FLAG_OMITTED", preview_flag_omitted },
        .{ "PREVIEW_FLAG_CYCLE", preview_flag_cycle },
        .{ "PREVIEW_FLAG_UNOPENED", preview_flag_unopened },
        .{ "DECODE_DEPTH_MAX", wire.decode_depth_max },
    }) |pair| text = text ++ std.fmt.comptimePrint("{s}={d}\n", .{ pair[0], pair[1] });
    for (.{
        .{ "Operation", Operation },
        .{ "Clock", Clock },
        .{ "Outcome", Outcome },
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
