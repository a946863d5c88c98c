//! Sections in which what the VM holds of the store is put together. An error must not leave such a
//! section in the middle: the caches would say something else than the store. Where one does (memory
//! ran out, in the main), the evaluation is doomed: it fails when it ends, whatever the program
//! caught, and all of it is rolled back.
//!
//! In a section no collection runs, except when memory is short, and no finalizer and no hook: they are
//! the program's code, and might change the very tables that are being put together.

const lua = @import("lua.zig");

extern fn core_pause_collector(*lua.State) void;
extern fn core_resume_collector(*lua.State) void;
extern fn core_allow_hooks(*lua.State, c_int) c_int;
extern fn core_check_room(*lua.State, c_int) void;
extern fn core_raise_memory(*lua.State) noreturn;

/// Values that a section may put on the stack: they are made sure of before it begins.
const stack_room = 120;

var is_open = false;
var is_doomed = false;
/// Whether hooks were allowed when the section began.
var hooks_allowed: c_int = 1;

/// Begins a section. Sections do not contain others, and call no code of the program.
pub fn enter(L: *lua.State) void {
    core_check_room(L, stack_room);
    if (is_open) is_doomed = true;
    if (is_doomed) core_raise_memory(L);
    is_open = true;
    hooks_allowed = core_allow_hooks(L, 0);
    core_pause_collector(L);
}

/// Ends the section, or does nothing: also before an error that is raised on purpose, when everything
/// is in order.
pub fn leave(L: *lua.State) void {
    if (is_open) _ = core_allow_hooks(L, hooks_allowed);
    is_open = false;
    core_resume_collector(L);
}

/// Something was left in the middle.
pub fn doom() void {
    is_doomed = true;
}

/// Whether the evaluation must not be kept. Asked outside of sections.
pub fn isDoomed() bool {
    return is_open or is_doomed;
}

/// An evaluation begins.
pub fn reset(L: *lua.State) void {
    is_doomed = false;
    is_open = false;
    leave(L);
}
