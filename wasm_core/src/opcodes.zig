//! Lua 5.4's instructions: what lopcodes.h says of them, for the verifier.

/// In the order of lopcodes.h.
pub const Op = enum(u8) {
    move,
    load_i,
    load_f,
    load_k,
    load_kx,
    load_false,
    l_false_skip,
    load_true,
    load_nil,
    get_upval,
    set_upval,
    get_tabup,
    get_table,
    get_i,
    get_field,
    set_tabup,
    set_table,
    set_i,
    set_field,
    new_table,
    self,
    add_i,
    add_k,
    sub_k,
    mul_k,
    mod_k,
    pow_k,
    div_k,
    idiv_k,
    band_k,
    bor_k,
    bxor_k,
    shr_i,
    shl_i,
    add,
    sub,
    mul,
    mod,
    pow,
    div,
    idiv,
    band,
    bor,
    bxor,
    shl,
    shr,
    mm_bin,
    mm_bin_i,
    mm_bin_k,
    unm,
    bnot,
    not,
    len,
    concat,
    close,
    tbc,
    jmp,
    eq,
    lt,
    le,
    eq_k,
    eq_i,
    lt_i,
    le_i,
    gt_i,
    ge_i,
    test_,
    test_set,
    call,
    tail_call,
    ret,
    ret_0,
    ret_1,
    for_loop,
    for_prep,
    tfor_prep,
    tfor_call,
    tfor_loop,
    set_list,
    closure,
    vararg,
    vararg_prep,
    extra_arg,
};

/// The events of metamethods that arithmetic instructions name, as ltm.h numbers them.
pub const Event = struct {
    pub const add: u32 = 6;
    pub const sub: u32 = 7;
    pub const shl: u32 = 16;
    pub const shr: u32 = 17;
};

pub const Instruction = struct {
    word: u32,

    pub fn op(self: Instruction) ?Op {
        const number: u8 = @intCast(self.word & 0x7f);
        return if (number > @backingInt(Op.extra_arg)) null else @fromBackingInt(number);
    }

    pub fn is(self: Instruction, wanted: Op) bool {
        return self.word & 0x7f == @backingInt(wanted);
    }

    pub fn a(self: Instruction) u32 {
        return (self.word >> 7) & 0xff;
    }

    pub fn k(self: Instruction) bool {
        return (self.word >> 15) & 1 != 0;
    }

    pub fn b(self: Instruction) u32 {
        return (self.word >> 16) & 0xff;
    }

    pub fn c(self: Instruction) u32 {
        return self.word >> 24;
    }

    pub fn bx(self: Instruction) u32 {
        return self.word >> 15;
    }

    pub fn ax(self: Instruction) u32 {
        return self.word >> 7;
    }

    /// Where a jump at `pc` leads to; may be anywhere.
    pub fn jumpTarget(self: Instruction, pc: u32) i64 {
        const offset_max: i64 = (1 << 24) - 1;
        return @as(i64, pc) + 1 + @as(i64, self.word >> 7) - offset_max;
    }

    /// Leaves as many values as there are, up to the stack's top, for the next instruction.
    pub fn isOpenProducer(self: Instruction) bool {
        const of = self.op() orelse return false;
        return switch (of) {
            .call, .vararg => self.c() == 0,
            .tail_call => true,
            else => false,
        };
    }

    /// Takes the values up to the stack's top that the instruction before left.
    pub fn isOpenConsumer(self: Instruction) bool {
        const of = self.op() orelse return false;
        return switch (of) {
            .call, .tail_call, .ret, .set_list => self.b() == 0,
            else => false,
        };
    }

    /// Skips the next instruction or decides about it: nothing else may lead there.
    pub fn hasSecondHalf(self: Instruction) bool {
        const of = self.op() orelse return false;
        return switch (of) {
            .load_kx, .new_table, .tfor_call => true,
            .set_list => self.k() or self.isOpenProducer(),
            else => isArithmetic(of) or isTest(of) or self.isOpenProducer(),
        };
    }
};

/// Followed by an instruction that calls a metamethod.
pub fn isArithmetic(op: Op) bool {
    return @backingInt(op) >= @backingInt(Op.add_i) and @backingInt(op) <= @backingInt(Op.shr);
}

/// What an instruction does with its operands, where it is the plain thing. None of it holds for what
/// is not named here: instructions with ranges of registers, jumps, tables, calls and loops.
pub const Operands = packed struct(u16) {
    a: enum(u2) { other, read, written, upvalue } = .other,
    b: enum(u3) { other, register, constant, short_string, upvalue } = .other,
    c: enum(u3) { other, register, register_or_constant, short_string } = .other,
    padding: u8 = 0,
};

const operands_table = blk: {
    var table: [@backingInt(Op.extra_arg) + 1]Operands = @splat(.{});
    for (@typeInfo(Op).@"enum".field_names, 0..) |name, index| {
        const op = @field(Op, name);
        table[index] = switch (op) {
            .move, .unm, .bnot, .not, .len, .get_i => .{ .a = .written, .b = .register },
            .load_i, .load_f, .load_k, .load_kx, .load_false, .l_false_skip, .load_true => .{ .a = .written },
            .get_upval => .{ .a = .written, .b = .upvalue },
            .set_upval => .{ .a = .read, .b = .upvalue },
            .get_tabup => .{ .a = .written, .b = .upvalue, .c = .short_string },
            .get_table => .{ .a = .written, .b = .register, .c = .register },
            .get_field => .{ .a = .written, .b = .register, .c = .short_string },
            .set_tabup => .{ .a = .upvalue, .b = .short_string, .c = .register_or_constant },
            .set_table => .{ .a = .read, .b = .register, .c = .register_or_constant },
            .set_i => .{ .a = .read, .c = .register_or_constant },
            .set_field => .{ .a = .read, .b = .short_string, .c = .register_or_constant },
            .self => .{ .b = .register, .c = .register_or_constant },
            .eq, .lt, .le => .{ .a = .read, .b = .register },
            .eq_k => .{ .a = .read, .b = .constant },
            .eq_i, .lt_i, .le_i, .gt_i, .ge_i, .test_, .tbc, .ret_1 => .{ .a = .read },
            .test_set => .{ .b = .register },
            else => if (!isArithmetic(op))
                .{}
            else if (@backingInt(op) >= @backingInt(Op.add))
                .{ .a = .written, .b = .register, .c = .register }
            else
                .{ .a = .written, .b = .register },
        };
    }
    break :blk table;
};

pub fn operandsOf(op: Op) Operands {
    return operands_table[@backingInt(op)];
}

/// Decides whether the jump that follows it is made.
pub fn isTest(op: Op) bool {
    return @backingInt(op) >= @backingInt(Op.eq) and @backingInt(op) <= @backingInt(Op.test_set);
}
