//! What an instruction requires of the bits that verify_flow.zig follows, and what it does to them.

const Flow = @import("verify_flow.zig").Flow;
const Instruction = @import("opcodes.zig").Instruction;
const opcodes = @import("opcodes.zig");
const Op = opcodes.Op;

/// The bits that have to do with one register.
pub const Masks = struct {
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

/// The instruction makes something valid, but a register of it may be open, as an earlier round found.
pub const flag_tainted: u8 = 8;

/// Somebody going through the instructions.
pub const Way = struct {
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
    pub fn require(self: *Way) void {
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
    pub fn step(self: *Way) bool {
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
