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
//! the bits of both. 32 bits are followed at a time; large functions take more rounds.

const std = @import("std");
const Instruction = @import("opcodes.zig").Instruction;
const opcodes = @import("opcodes.zig");
const Op = opcodes.Op;
const Function = @import("verify_code.zig").Function;

const Error = error{Refused};

/// Bytes of scratch memory for a function of so many instructions.
pub fn scratchBytes(instruction_count: usize) usize {
    return instruction_count * 9 + registers_max * @sizeOf(Masks) + 2 * @alignOf(Masks);
}

const registers_max = 256;

const Set = std.StaticBitSet(registers_max);

/// The bits that have to do with one register.
const Masks = struct {
    /// May be captured by a closure that lives.
    open: u32 = 0,
    /// May be to be closed.
    pending: u32 = 0,
    /// May never have been written.
    empty: u32 = 0,
    /// The loop that begins at this register may be invalid.
    loop: u32 = 0,
    /// May be no table.
    table: u32 = 0,
    /// What a write to this register makes invalid.
    spoiled: u32 = 0,
    /// The same of this register and all above.
    open_above: u32 = 0,
    pending_above: u32 = 0,
    empty_above: u32 = 0,
    spoiled_above: u32 = 0,
};

const flag_target: u8 = 1;
const flag_reached: u8 = 2;
const flag_queued: u8 = 4;
/// The instruction makes something valid, but a register of it may be open, as an earlier round found.
const flag_tainted: u8 = 8;

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

const Flow = struct {
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
    fn merge(self: *Flow, pc: u32, state: u32) void {
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

/// Somebody going through the instructions.
const Way = struct {
    flow: *Flow,
    pc: u32,
    state: u32,
    /// Whether jumps are followed, which changes the states at their targets.
    leads: bool,
    /// What is wrong at the present instruction.
    reason: ?[]const u8 = null,

    fn mask(self: *Way, register: u32) *Masks {
        return &self.flow.masks[register];
    }

    fn here(self: *Way) Instruction {
        return self.flow.function.at(self.pc);
    }

    fn blame(self: *Way, reason: []const u8) void {
        if (self.reason == null) self.reason = reason;
    }

    // -- what is required

    fn read(self: *Way, register: u32) void {
        if (self.state & self.mask(register).empty != 0) {
            self.blame("reads a register that may never have been written");
        }
    }

    fn readRange(self: *Way, first: u32, count: u32) void {
        for (first..first + count) |register| self.read(@intCast(register));
    }

    /// Arguments or results from `first` on, so many that the instruction tells one more.
    fn readOperands(self: *Way, first: u32, count_and_one: u32) void {
        if (count_and_one != 0) return self.readRange(first, count_and_one - 1);
        // The rest is what the instruction before left.
        const open = self.flow.function.at(self.pc - 1).a();
        if (open > first) self.readRange(first, open - first);
    }

    fn nonePending(self: *Way, register: u32) void {
        if (self.state & self.mask(register).pending_above != 0) {
            self.blame("comes before variables are closed");
        }
    }

    fn closed(self: *Way, register: u32) void {
        const above = self.mask(register);
        if (self.state & (above.open_above | above.pending_above) != 0) {
            self.blame("uses registers that may still be captured");
        }
    }

    fn loopOpen(self: *Way, a: u32) u32 {
        return self.mask(a).open | self.mask(a + 1).open | self.mask(a + 2).open;
    }

    /// Checks what the instruction relies on.
    fn require(self: *Way) void {
        const i = self.here();
        const a = i.a();
        const op = i.op().?;
        const flags = &self.flow.flags[self.pc];
        self.readOperandsOf(i, op);
        switch (op) {
            .concat => {
                self.readRange(a, i.b());
                self.closed(a + 1);
            },
            .tbc => self.nonePending(a),
            .call => {
                self.read(a);
                self.readOperands(a, i.b() + @intFromBool(i.b() != 0));
                self.closed(a);
            },
            .tail_call => {
                self.read(a);
                self.readOperands(a, i.b() + @intFromBool(i.b() != 0));
                self.nonePending(0);
            },
            .ret => self.readOperands(a, i.b()),
            .for_prep => {
                self.readRange(a, 3);
                if (self.state & self.loopOpen(a) != 0) flags.* |= flag_tainted;
            },
            .for_loop => if (self.state & self.mask(a).loop != 0) {
                self.blame("ends a loop whose registers may have been changed");
            },
            .tfor_prep => {
                self.read(a + 3);
                self.nonePending(a + 3);
            },
            .tfor_call => {
                self.readRange(a, 3);
                self.closed(a + 4);
            },
            .tfor_loop => self.read(a + 4),
            .set_list => {
                self.read(a);
                self.readOperands(a + 1, i.b() + @intFromBool(i.b() != 0));
                if (self.state & self.mask(a).table != 0) self.blame("fills what may be no table");
            },
            .new_table => {
                // Where memory is allocated, a finalizer may be called above the register.
                self.closed(a + 1);
                if (self.state & self.mask(a).open != 0) flags.* |= flag_tainted;
            },
            .closure => self.requireCaptures(i),
            else => {},
        }
    }

    fn readOperandsOf(self: *Way, i: Instruction, op: Op) void {
        const operands = opcodes.operandsOf(op);
        if (operands.a == .read) self.read(i.a());
        if (operands.b == .register) self.read(i.b());
        if (operands.c == .register or operands.c == .register_or_constant and !i.k()) self.read(i.c());
    }

    fn requireCaptures(self: *Way, i: Instruction) void {
        for (self.flow.function.children[i.bx()].upvalues) |upvalue| {
            if (upvalue[0] == 0) continue;
            // It may capture itself.
            if (upvalue[1] != i.a()) self.read(upvalue[1]);
            if (upvalue[1] > i.a()) self.blame("captures a register that is not in use");
        }
        self.closed(i.a() + 1);
    }

    // -- what is done

    fn write(self: *Way, register: u32) void {
        const masks = self.mask(register);
        // Closing it would only fail, but would fail inside of the interpreter.
        if (self.state & masks.pending != 0) self.blame("writes over a variable that is to be closed");
        self.state = (self.state | masks.spoiled) & ~masks.empty;
    }

    fn writeRange(self: *Way, first: u32, count: u32) void {
        for (first..first + count) |register| self.write(@intCast(register));
    }

    /// Something may be called that uses all registers from this one on.
    fn clobber(self: *Way, first: u32) void {
        const masks = self.mask(first);
        if (self.state & masks.pending_above != 0) {
            self.blame("writes over a variable that is to be closed");
        }
        self.state |= masks.spoiled_above | masks.empty_above;
    }

    fn capture(self: *Way, i: Instruction) void {
        for (self.flow.function.children[i.bx()].upvalues) |upvalue| {
            // What is captured can change whenever anything is called.
            if (upvalue[0] != 0) {
                self.state |= self.mask(upvalue[1]).open | self.mask(upvalue[1]).spoiled;
            }
        }
    }

    fn isTainted(self: *Way, open: u32) bool {
        return self.flow.flags[self.pc] & flag_tainted != 0 or self.state & open != 0;
    }

    fn leadTo(self: *Way, pc: u32) void {
        if (self.leads) self.flow.merge(pc, self.state);
    }

    /// Goes to the next instruction in line, with what this one does to the bits; false when there is
    /// none. Where it jumps as well, it leads there.
    fn step(self: *Way) bool {
        const i = self.here();
        const pc = self.pc;
        const a = i.a();
        const op = i.op().?;
        switch (op) {
            .jmp => {
                self.leadTo(@intCast(i.jumpTarget(pc)));
                return false;
            },
            .ret, .ret_0, .ret_1, .tail_call => return false,
            .for_prep => {
                self.writeRange(a, 3);
                self.leadTo(pc + 1 + i.bx() + 1);
                self.write(a + 3);
                if (!self.isTainted(self.loopOpen(a))) self.state &= ~self.mask(a).loop;
            },
            .for_loop => {
                const kept = self.state & self.mask(a).loop;
                for ([_]u32{ a, a + 1, a + 3 }) |register| self.write(register);
                self.state = (self.state & ~self.mask(a).loop) | kept;
                self.leadTo(pc + 1 - i.bx());
            },
            .tfor_prep => {
                self.state |= self.mask(a + 3).pending;
                self.leadTo(pc + 1 + i.bx());
                return false;
            },
            .tfor_call => {
                self.clobber(a + 4);
                self.writeRange(a + 4, i.c());
            },
            .tfor_loop => {
                self.write(a + 2);
                self.leadTo(pc + 1 - i.bx());
            },
            .tbc => self.state |= self.mask(a).pending,
            .close => {
                self.state &= ~(self.mask(a).open_above | self.mask(a).pending_above);
                self.clobber(a);
            },
            .new_table => {
                self.clobber(a);
                self.write(a);
                if (!self.isTainted(self.mask(a).open)) self.state &= ~self.mask(a).table;
            },
            .closure => {
                self.clobber(a);
                self.write(a);
                self.capture(i);
            },
            .concat => {
                self.clobber(a);
                self.write(a);
            },
            .call => {
                self.clobber(a);
                if (i.c() != 0) self.writeRange(a, i.c() - 1);
            },
            .vararg => if (i.c() == 0) self.clobber(a) else self.writeRange(a, i.c() - 1),
            .set_list => if (i.b() == 0) self.clobber(a + 1),
            .load_nil => self.writeRange(a, i.b() + 1),
            .self => self.writeRange(a, 2),
            else => if (opcodes.isTest(op)) {
                const state = self.state;
                if (op == .test_set) self.write(a);
                self.leadTo(@intCast(self.flow.function.at(pc + 1).jumpTarget(pc + 1)));
                self.state = state;
            } else if (opcodes.operandsOf(op).a == .written) {
                // The metamethod of arithmetic writes the same register.
                self.write(a);
            },
        }
        const skips = opcodes.isArithmetic(op) or opcodes.isTest(op) or switch (op) {
            .load_kx, .l_false_skip, .new_table => true,
            .set_list => i.k(),
            else => false,
        };
        self.pc = if (skips) pc + 2 else pc + 1;
        return true;
    }
};
