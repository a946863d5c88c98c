//! The Zig side of c/internals.h: the few things that need Lua's internal headers.

const lua = @import("lua.zig");

pub const Control = extern struct {
    running: ?*lua.State,
    interrupt: u32,
    bytecode: u32,
};

pub const HookLayout = extern struct {
    function: u32 = 0,
    field: u32 = 0,
    base_count: u32 = 0,
    count: u32 = 0,
    mask: u32 = 0,
    mask_count: u32 = 0,
    call_info: u32 = 0,
    previous: u32 = 0,
    call_status: u32 = 0,
    call_status_c: u32 = 0,
    trap: u32 = 0,
};

pub extern var core_control: Control;
pub extern fn core_hook_layout(*HookLayout) void;
pub extern fn core_chunk_id([*]u8, [*]const u8, usize) void;

/// What an interrupted program sees as the error, should it catch it. (CORE_INTERRUPTED in C.)
pub const interrupted_message = "interrupted";
