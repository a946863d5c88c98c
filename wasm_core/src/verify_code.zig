//! Whether the instructions of one function are such as the interpreter relies on, each for itself
//! and together with its neighbours. What depends on the way there is verify_flow.zig's business.

const std = @import("std");
const opcodes = @import("opcodes.zig");
const Instruction = opcodes.Instruction;
const Op = opcodes.Op;

pub const Constant = enum(u8) { other, integer, float, short_string, long_string };

/// The three bytes of an upvalue's description: in the parent's registers or among its upvalues, the
/// index there, its kind.
pub const Upvalue = [3]u8;

/// What a nested prototype wants of its parent.
pub const Child = struct { upvalues: []const Upvalue };

/// How many nils one instruction may load for a table constructor's list, which flushes after so many.
const list_items_per_instruction = 50;

pub const Function = struct {
    code: []align(1) const u32,
    constants: []const Constant,
    children: []const Child,
    upvalue_count: u32,
    register_count: u32,
    parameter_count: u32,
    is_vararg: bool,
    /// Some of its registers may be captured or to be closed: every way out must close them.
    needs_close: bool = false,

    /// The instruction that is looked at, and what is wrong with it.
    pc: u32 = 0,
    reason: []const u8 = "",

    pub fn at(self: *const Function, pc: u32) Instruction {
        return .{ .word = self.code[pc] };
    }

    pub fn count(self: *const Function) u32 {
        return @intCast(self.code.len);
    }

    pub fn refuse(self: *Function, pc: u32, reason: []const u8) error{Refused} {
        self.pc = pc;
        self.reason = reason;
        return error.Refused;
    }
};

const Error = error{Refused};

pub fn check(function: *Function) Error!void {
    const last = function.count() - 1;
    const last_op = function.at(last).op() orelse return function.refuse(last, "is unknown");
    switch (last_op) {
        .ret, .ret_0, .ret_1 => {},
        else => return function.refuse(last, "is the last and does not return"),
    }
    if (function.is_vararg and !function.at(0).is(.vararg_prep)) {
        return function.refuse(0, "does not prepare variable arguments");
    }
    function.needs_close = needsClose(function);
    for (0..function.code.len) |pc| {
        var checker: Checker = .{
            .function = function,
            .pc = @intCast(pc),
            .i = function.at(@intCast(pc)),
        };
        try checker.check();
    }
}

fn needsClose(function: *const Function) bool {
    for (function.children) |child| {
        for (child.upvalues) |upvalue| if (upvalue[0] != 0) return true;
    }
    for (function.code) |word| {
        const i: Instruction = .{ .word = word };
        if (i.is(.tbc) or i.is(.tfor_prep)) return true;
    }
    return false;
}

const Checker = struct {
    function: *Function,
    pc: u32,
    i: Instruction,

    fn refuse(self: *Checker, reason: []const u8) Error {
        return self.function.refuse(self.pc, reason);
    }

    /// `count` registers from `first` on.
    fn registers(self: *Checker, first: u32, count: u32) Error!void {
        if (first + count > self.function.register_count) {
            return self.refuse("uses a register that the function does not have");
        }
    }

    fn register(self: *Checker, index: u32) Error!void {
        return self.registers(index, 1);
    }

    fn constant(self: *Checker, index: u32) Error!Constant {
        if (index >= self.function.constants.len) {
            return self.refuse("uses a constant that the function does not have");
        }
        return self.function.constants[index];
    }

    fn shortString(self: *Checker, index: u32) Error!void {
        if (try self.constant(index) != .short_string) {
            return self.refuse("needs a short string as its constant");
        }
    }

    fn upvalue(self: *Checker, index: u32) Error!void {
        if (index >= self.function.upvalue_count) {
            return self.refuse("uses an upvalue that the function does not have");
        }
    }

    /// There is always a next instruction: the last one is a return.
    fn next(self: *Checker) Instruction {
        return self.function.at(self.pc + 1);
    }

    fn previous(self: *Checker) ?Instruction {
        return if (self.pc == 0) null else self.function.at(self.pc - 1);
    }

    fn check(self: *Checker) Error!void {
        const i = self.i;
        const op = i.op() orelse return self.refuse("is unknown");
        try self.operands(opcodes.operandsOf(op));
        if (opcodes.isArithmetic(op)) return self.arithmetic(op);
        if (opcodes.isTest(op) and !self.next().is(.jmp)) return self.refuse("is not followed by a jump");
        switch (op) {
            .load_k => _ = try self.constant(i.bx()),
            .load_kx => _ = try self.constant(try self.extraArgument()),
            .l_false_skip => {
                const skipped = self.next();
                if (!skipped.is(.load_true) or skipped.a() != i.a()) {
                    return self.refuse("does not skip its counterpart");
                }
            },
            .load_nil => try self.registers(i.a(), i.b() + 1),
            .test_set => try self.register(i.a()),
            .new_table => try self.newTable(),
            .self => try self.method(),
            .mm_bin, .mm_bin_i, .mm_bin_k => {
                const before = self.previous() orelse return self.refuse("follows nothing it belongs to");
                const of = before.op() orelse return self.refuse("follows nothing it belongs to");
                if (!opcodes.isArithmetic(of) or metamethodOf(of) != op) {
                    return self.refuse("follows nothing it belongs to");
                }
            },
            .concat => {
                if (i.b() < 2) return self.refuse("concatenates fewer than two values");
                try self.registers(i.a(), i.b());
            },
            // With nothing to close, the first register may be the one behind the last.
            .close => try self.registers(i.a(), 0),
            .jmp => try self.jump(i.jumpTarget(self.pc)),
            .call => {
                try self.arguments();
                try self.results();
            },
            .tail_call => try self.tailCall(),
            .ret => try self.returns(),
            .ret_0, .ret_1 => {
                if (self.function.is_vararg or self.function.needs_close) {
                    return self.refuse("returns without cleaning up");
                }
                try self.registers(i.a(), 0);
            },
            .for_loop => try self.forLoop(.for_prep, 1),
            .for_prep => try self.forPrep(),
            .tfor_prep => try self.genericForPrep(),
            .tfor_call => try self.genericForCall(),
            .tfor_loop => try self.genericForLoop(),
            .set_list => try self.setList(),
            .closure => try self.closure(),
            .vararg => {
                if (!self.function.is_vararg) return self.refuse("has no variable arguments to get");
                try self.register(i.a());
                try self.results();
            },
            .vararg_prep => {
                const function = self.function;
                // B tells the hooks that the stack's top is in use.
                if (!function.is_vararg or self.pc != 0 or i.b() != 0 or
                    i.a() != function.parameter_count)
                {
                    return self.refuse("prepares variable arguments at the wrong place");
                }
            },
            .extra_arg => {
                const before = self.previous() orelse return self.refuse("follows nothing it belongs to");
                if (!before.is(.load_kx) and !before.is(.new_table) and
                    !(before.is(.set_list) and before.k()))
                {
                    return self.refuse("follows nothing it belongs to");
                }
            },
            // Their operands are all there is to them.
            else => {},
        }
    }

    fn operands(self: *Checker, wanted: opcodes.Operands) Error!void {
        const i = self.i;
        switch (wanted.a) {
            .other => {},
            .read, .written => try self.register(i.a()),
            .upvalue => try self.upvalue(i.a()),
        }
        switch (wanted.b) {
            .other => {},
            .register => try self.register(i.b()),
            .constant => _ = try self.constant(i.b()),
            .short_string => try self.shortString(i.b()),
            .upvalue => try self.upvalue(i.b()),
        }
        switch (wanted.c) {
            .other => {},
            .register => try self.register(i.c()),
            .register_or_constant => if (i.k()) {
                _ = try self.constant(i.c());
            } else try self.register(i.c()),
            .short_string => try self.shortString(i.c()),
        }
    }

    fn extraArgument(self: *Checker) Error!u32 {
        const extra = self.next();
        if (!extra.is(.extra_arg)) return self.refuse("has no extra argument");
        return extra.ax();
    }

    fn arithmetic(self: *Checker, op: Op) Error!void {
        const i = self.i;
        const metamethod = metamethodOf(op);
        const fallback = self.next();
        if (!fallback.is(metamethod) or fallback.a() != i.b()) {
            return self.refuse("has not the metamethod that belongs to it");
        }
        const event = fallback.c();
        const is_right = switch (op) {
            .add_i => event == opcodes.Event.add or event == opcodes.Event.sub,
            .shr_i => event == opcodes.Event.shr or event == opcodes.Event.shl,
            .shl_i => event == opcodes.Event.shl,
            else => fallback.b() == i.c() and event == opcodes.Event.add + @backingInt(op) -
                @backingInt(if (metamethod == .mm_bin) Op.add else Op.add_k),
        };
        if (!is_right) return self.refuse("has not the metamethod that belongs to it");
        switch (op) {
            .add_i, .shr_i, .shl_i => {},
            .band_k, .bor_k, .bxor_k => if (try self.constant(i.c()) != .integer) {
                return self.refuse("needs an integer as its constant");
            },
            else => if (metamethod == .mm_bin_k) switch (try self.constant(i.c())) {
                .integer, .float => {},
                else => return self.refuse("needs a number as its constant"),
            },
        }
    }

    fn newTable(self: *Checker) Error!void {
        const i = self.i;
        try self.register(i.a());
        const extra = try self.extraArgument();
        const function = self.function;
        if (i.k() != (extra != 0)) return self.refuse("does not tell whether it has an extra argument");
        const hash_size = if (i.b() == 0) 0 else @as(u64, 1) << @intCast(@min(i.b() - 1, 63));
        // A constructor has an instruction for each field, so it cannot ask for more.
        if (hash_size / 2 >= function.count() or !self.listFits(@as(u64, extra) * 256 + i.c())) {
            return self.refuse("makes a table larger than what fills it");
        }
    }

    fn listFits(self: *Checker, size: u64) bool {
        return size <= @as(u64, self.function.count()) * list_items_per_instruction and
            size < 1 << 26;
    }

    fn setList(self: *Checker) Error!void {
        const i = self.i;
        if (i.b() == 0) {
            try self.register(i.a());
            try self.openProducer(1);
        } else {
            try self.registers(i.a(), i.b() + 1);
        }
        const high: u64 = if (i.k()) try self.extraArgument() else 0;
        if (!self.listFits(high * 256 + i.c() + i.b())) {
            return self.refuse("fills a table with more than it can have");
        }
    }

    fn method(self: *Checker) Error!void {
        const i = self.i;
        try self.registers(i.a(), 2);
        if (i.k()) switch (try self.constant(i.c())) {
            .short_string, .long_string => return,
            else => return self.refuse("needs a string as its constant"),
        };
        if (!try self.loadsMethodName()) return self.refuse("needs a string as the method's name");
    }

    /// Whether what stands before puts a string constant into the register of the method's name.
    fn loadsMethodName(self: *Checker) Error!bool {
        const before = self.previous() orelse return false;
        var load = before;
        var index = before.bx();
        if (before.is(.extra_arg) and self.pc >= 2) {
            load = self.function.at(self.pc - 2);
            if (!load.is(.load_kx)) return false;
            index = before.ax();
        } else if (!before.is(.load_k)) return false;
        if (load.a() != self.i.c()) return false;
        return switch (try self.constant(index)) {
            .short_string, .long_string => true,
            else => false,
        };
    }

    fn jump(self: *Checker, target: i64) Error!void {
        const function = self.function;
        if (target < 0 or target >= function.code.len) return self.refuse("jumps out of the function");
        const to: u32 = @intCast(target);
        const lands = function.at(to);
        if (to == 0) {
            if (function.is_vararg) return self.refuse("jumps to the preparation of arguments");
        } else if (function.at(to - 1).hasSecondHalf()) {
            return self.refuse("jumps between instructions that belong together");
        }
        if (lands.is(.self) and !lands.k()) {
            return self.refuse("jumps between instructions that belong together");
        }
    }

    /// Of a call: the function, and its arguments.
    fn arguments(self: *Checker) Error!void {
        const i = self.i;
        if (i.b() == 0) {
            try self.register(i.a());
            return self.openProducer(1);
        }
        try self.registers(i.a(), i.b());
    }

    /// Of a call or of variable arguments.
    fn results(self: *Checker) Error!void {
        const i = self.i;
        if (i.c() != 0) return self.registers(i.a(), i.c() - 1);
        if (!self.next().isOpenConsumer()) return self.refuse("has open results that nothing takes");
    }

    /// The instruction before leaves values up to the top, in registers that begin at least
    /// `distance` above this instruction's first.
    fn openProducer(self: *Checker, distance: u32) Error!void {
        const before = self.previous() orelse return self.refuse("takes open results of nothing");
        if (!before.isOpenProducer()) return self.refuse("takes open results of nothing");
        if (before.a() < self.i.a() + distance) {
            return self.refuse("takes open results that begin below its own registers");
        }
    }

    /// The way out of a function restores what was there before its variable arguments, and closes.
    fn wayOut(self: *Checker) Error!void {
        const function = self.function;
        const wanted = if (function.is_vararg) function.parameter_count + 1 else 0;
        if (self.i.c() != wanted) return self.refuse("returns without restoring the stack");
        if (function.needs_close and !self.i.k()) return self.refuse("returns without closing variables");
    }

    fn tailCall(self: *Checker) Error!void {
        try self.arguments();
        try self.wayOut();
        const after = self.next();
        if (!after.is(.ret) or after.b() != 0 or after.a() != self.i.a()) {
            return self.refuse("is not followed by the return it needs");
        }
    }

    fn returns(self: *Checker) Error!void {
        const i = self.i;
        try self.wayOut();
        if (i.b() != 0) return self.registers(i.a(), i.b() - 1);
        try self.registers(i.a(), 0);
        try self.openProducer(0);
    }

    /// Jumps back behind the `prepare` instruction that leads to the loop's end, which has so many
    /// instructions.
    fn forLoop(self: *Checker, comptime prepare: Op, comptime end_length: u32) Error!void {
        try self.registers(self.i.a(), 4);
        const back = self.i.bx();
        if (back == 0 or back > self.pc) return self.refuse("jumps out of the function");
        const prep = self.function.at(self.pc - back);
        if (!prep.is(prepare) or prep.a() != self.i.a() or prep.bx() + end_length != back) {
            return self.refuse("does not belong to the beginning of its loop");
        }
    }

    fn forPrep(self: *Checker) Error!void {
        try self.registers(self.i.a(), 4);
        const end = self.loopEnd(.for_loop) orelse return self.refuse("has no end of its loop");
        try self.jump(@as(i64, end) + 1);
    }

    fn genericForPrep(self: *Checker) Error!void {
        try self.registers(self.i.a(), 4);
        const end = self.loopEnd(.tfor_call) orelse return self.refuse("has no end of its loop");
        try self.jump(end);
    }

    fn loopEnd(self: *Checker, wanted: Op) ?u32 {
        const end = @as(u64, self.pc) + 1 + self.i.bx();
        if (end + 1 >= self.function.code.len) return null;
        const closing = self.function.at(@intCast(end));
        if (!closing.is(wanted) or closing.a() != self.i.a()) return null;
        return @intCast(end);
    }

    fn genericForCall(self: *Checker) Error!void {
        const i = self.i;
        // The call's own registers, and those of its results.
        try self.registers(i.a(), 7);
        try self.registers(i.a(), 4 + i.c());
        const closing = self.next();
        if (i.c() == 0 or !closing.is(.tfor_loop) or closing.a() != i.a()) {
            return self.refuse("is not followed by the end of its loop");
        }
    }

    fn genericForLoop(self: *Checker) Error!void {
        const before = self.previous() orelse return self.refuse("follows nothing it belongs to");
        if (!before.is(.tfor_call)) return self.refuse("follows nothing it belongs to");
        try self.forLoop(.tfor_prep, 2);
    }

    fn closure(self: *Checker) Error!void {
        const i = self.i;
        try self.register(i.a());
        if (i.bx() >= self.function.children.len) {
            return self.refuse("makes a function that there is not");
        }
        for (self.function.children[i.bx()].upvalues) |wanted| {
            if (wanted[0] != 0) try self.register(wanted[1]) else try self.upvalue(wanted[1]);
        }
    }
};

fn metamethodOf(op: Op) Op {
    return switch (op) {
        .add_i, .shr_i, .shl_i => .mm_bin_i,
        else => if (@backingInt(op) < @backingInt(Op.add)) .mm_bin_k else .mm_bin,
    };
}

comptime {
    std.debug.assert(@backingInt(Op.extra_arg) == 82);
    std.debug.assert(@backingInt(Op.shr) - @backingInt(Op.add) == opcodes.Event.shr - opcodes.Event.add);
}
