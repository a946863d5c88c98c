//! What must hold on every way to an instruction, whichever way the program takes:
//!
//! - a register is read only after it was written: what a call left in it may be something that no
//!   program may ever have, and calls leave things in all registers above theirs;
//! - the end of a numeric loop finds its three registers as its beginning left them;
//! - SETLIST finds a table;
//! - captured and to-be-closed registers are closed before anything is built on top of them, and
//!   to-be-closed ones come in ascending order.
//!
//! The interpreter looks at none of this. Each is a bit that may be set on the way: "may be empty",
//! "may be no valid loop", "may be no table", "may be open", "may be to be closed". Ways that meet have
//! the bits of both. 32 bits are followed at a time; large functions take more rounds. What each
//! instruction requires of them, and does to them, is in verify_way.zig.

const std = @import("std");
const Instruction = @import("opcodes.zig").Instruction;
const Function = @import("verify_code.zig").Function;
const verify_way = @import("verify_way.zig");
const Masks = verify_way.Masks;
const Way = verify_way.Way;
const flag_tainted = verify_way.flag_tainted;

const Error = error{Refused};

/// Bytes of scratch memory for a function of so many instructions.
pub fn scratchBytes(instruction_count: usize) usize {
    return instruction_count * 9 + registers_max * @sizeOf(Masks) + 2 * @alignOf(Masks);
}

const registers_max = 256;

const Set = std.StaticBitSet(registers_max);

const flag_target: u8 = 1;
const flag_reached: u8 = 2;
const flag_queued: u8 = 4;
const none = std.math.maxInt(u32);

/// Scratch memory must be as large as scratchBytes tells.
pub fn check(function: *Function, scratch: []align(8) u8) Error!void {
    var items = Items.collect(function);
    const count = function.code.len;
    const words = std.mem.bytesAsSlice(u32, scratch[0 .. count * 8]);
    const masks_start = std.mem.alignForward(usize, count * 9, @alignOf(Masks));
    const masks: [*]Masks = @ptrCast(@alignCast(scratch[masks_start..].ptr));
    var flow: Flow = .{
        .function = function,
        .states = words[0..count],
        .links = words[count..],
        .flags = scratch[count * 8 ..][0..count],
        .masks = masks[0 .. function.register_count + 1],
    };
    flow.markTargets();
    while (items.nextRound(flow.masks)) {
        flow.clear();
        flow.propagate();
        try flow.verify();
    }
}

/// The registers for which there are bits, of each kind.
const Items = struct {
    open: Set = .empty,
    pending: Set = .empty,
    empty: Set = .empty,
    loop: Set = .empty,
    table: Set = .empty,

    fn collect(function: *const Function) Items {
        var self: Items = .{};
        for (function.children) |child| {
            for (child.upvalues) |upvalue| {
                if (upvalue[0] != 0 and upvalue[1] < function.register_count) self.open.set(upvalue[1]);
            }
        }
        for (function.parameter_count..function.register_count) |register| self.empty.set(register);
        for (function.code) |word| {
            const i: Instruction = .{ .word = word };
            switch (i.op().?) {
                .tbc => self.pending.set(i.a()),
                .tfor_prep => self.pending.set(i.a() + 3),
                .for_loop => self.loop.set(i.a()),
                .set_list => self.table.set(i.a()),
                else => {},
            }
        }
        return self;
    }

    /// Gives bits to the next 32 items, captured registers first. False when there are none left.
    fn nextRound(self: *Items, masks: []Masks) bool {
        @memset(masks, .{});
        var bit: u6 = 0;
        inline for (.{ "open", "pending", "empty", "loop", "table" }) |kind| {
            const left = &@field(self, kind);
            while (bit < 32) : (bit += 1) {
                const register = left.findFirstSet() orelse break;
                left.unset(register);
                @field(masks[register], kind) = @as(u32, 1) << @intCast(bit);
            }
        }
        var above: Masks = .{};
        var register = masks.len;
        while (register > 0) {
            register -= 1;
            const mask = &masks[register];
            mask.spoiled = mask.table | mask.loop;
            // A loop has three registers that nothing else may write.
            if (register >= 1) mask.spoiled |= masks[register - 1].loop;
            if (register >= 2) mask.spoiled |= masks[register - 2].loop;
            inline for (.{ "open", "pending", "empty", "spoiled" }) |kind| {
                @field(above, kind) |= @field(mask, kind);
                @field(mask, kind ++ "_above") = @field(above, kind);
            }
        }
        return bit > 0;
    }
};

pub const Flow = struct {
    function: *Function,
    /// At targets of jumps, the bits that may be set there.
    states: []u32,
    /// The queue of targets to go on from.
    links: []u32,
    flags: []u8,
    /// Of each register, and of the one behind the last.
    masks: []Masks,
    queue: u32 = none,

    fn markTargets(self: *Flow) void {
        @memset(self.flags, 0);
        self.flags[0] = flag_target;
        for (0..self.flags.len) |index| {
            const pc: u32 = @intCast(index);
            const i = self.function.at(pc);
            switch (i.op().?) {
                .jmp => self.markTarget(@intCast(i.jumpTarget(pc))),
                .for_prep => {
                    self.markTarget(pc + 1);
                    self.markTarget(pc + 1 + i.bx() + 1);
                },
                .tfor_prep => {
                    self.markTarget(pc + 1);
                    self.markTarget(pc + 1 + i.bx());
                },
                else => {},
            }
        }
    }

    fn markTarget(self: *Flow, pc: u32) void {
        self.flags[pc] |= flag_target;
    }

    fn clear(self: *Flow) void {
        for (self.flags) |*flags| flags.* &= flag_target | flag_tainted;
        @memset(self.states, 0);
    }

    /// Follows all ways until no state changes any more.
    fn propagate(self: *Flow) void {
        self.merge(0, self.masks[0].empty_above | self.masks[0].spoiled_above);
        while (self.queue != none) {
            const start = self.queue;
            self.queue = self.links[start];
            self.flags[start] &= ~flag_queued;
            var way: Way = .{ .flow = self, .pc = start, .state = self.states[start], .leads = true };
            while (way.step()) {
                if (self.flags[way.pc] & flag_target != 0) {
                    self.merge(way.pc, way.state);
                    break;
                }
            }
        }
    }

    /// A way leads to `pc` with these bits.
    pub fn merge(self: *Flow, pc: u32, state: u32) void {
        const joined = self.states[pc] | state;
        if (joined == self.states[pc] and self.flags[pc] & flag_reached != 0) return;
        self.states[pc] = joined;
        self.flags[pc] |= flag_reached;
        if (self.flags[pc] & flag_queued != 0) return;
        self.flags[pc] |= flag_queued;
        self.links[pc] = self.queue;
        self.queue = pc;
    }

    /// Looks at every instruction that is reached, with the bits that may be set there.
    fn verify(self: *Flow) Error!void {
        const start_flags = flag_target | flag_reached;
        for (self.flags, self.states, 0..) |flags, state, pc| {
            if (flags & start_flags != start_flags) continue;
            var way: Way = .{ .flow = self, .pc = @intCast(pc), .state = state, .leads = false };
            while (true) {
                const at = way.pc;
                way.require();
                const goes_on = way.step();
                if (way.reason) |reason| return self.function.refuse(at, reason);
                if (!goes_on or self.flags[way.pc] & flag_target != 0) break;
            }
        }
    }
};
