//! All but what programs spend their time in: these files are compiled for size (see build.py), and
//! reach the others, which are compiled for speed, as `@import("root")`.

pub const evaluate = @import("evaluate.zig");
pub const exchange = @import("exchange.zig");
pub const flush = @import("flush.zig");
pub const host = @import("host.zig");
pub const inspect = @import("inspect.zig");
pub const internals = @import("internals.zig");
pub const libs = @import("libs.zig");
pub const lua = @import("lua.zig");
pub const protocol = @import("protocol.zig");
pub const trace = @import("trace.zig");

comptime {
    _ = @import("base.zig");
    _ = @import("time.zig");
}
