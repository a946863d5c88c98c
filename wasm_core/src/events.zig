//! Metamethods of external tables. Lua looks for them in the hidden metatable M, which answers some itself
//! and for others calls what the program's metatable has at that moment (external.zig tells P and M).

const std = @import("std");
const lua = @import("lua.zig");
const external = @import("external.zig");
const Registry = external.Registry;

/// Names of the metamethods that P keeps for Lua to find.
pub const names = [_][:0]const u8{
    "__add",       "__band", "__bnot", "__bor",      "__bxor",  "__call",     "__close", "__concat",
    "__div",       "__eq",   "__gc",   "__idiv",     "__index", "__le",       "__len",   "__lt",
    "__metatable", "__mod",  "__mode", "__mul",      "__name",  "__newindex", "__pairs", "__pow",
    "__shl",       "__shr",  "__sub",  "__tostring", "__unm",
};

/// Whether the value at `index` is the name of a metamethod.
pub noinline fn isName(L: *lua.State, index: c_int) bool {
    if (lua.typeAt(L, index) != .string) return false;
    const text = lua.stringAt(L, index);
    if (text.len < 4 or text[0] != '_' or text[1] != '_') return false;
    for (names) |name| {
        if (std.mem.eql(u8, name, text)) return true;
    }
    return false;
}

/// Events that M answers itself, or that have no meaning for what outlives the VM.
noinline fn isOwn(name: []const u8) bool {
    for ([_][]const u8{ "__index", "__newindex", "__len", "__pairs", "__gc", "__mode" }) |own| {
        if (std.mem.eql(u8, own, name)) return true;
    }
    return false;
}

/// M calls the metamethods of the program's metatable, whatever they are when they are called; M
/// only needs to know which there are. Stack: unchanged.
pub noinline fn fill(L: *lua.State, meta: c_int, metatable: c_int) void {
    const m = lua.lua_absindex(L, meta);
    const source = lua.lua_absindex(L, metatable);
    for (names) |name| {
        if (isOwn(name)) continue;
        _ = lua.lua_pushstring(L, name.ptr);
        _ = lua.lua_rawget(L, source);
        if (lua.typeAt(L, -1) == .nil or std.mem.eql(u8, name, "__name") or
            std.mem.eql(u8, name, "__metatable"))
        {
            lua.lua_setfield(L, m, name.ptr);
            continue;
        }
        lua.pop(L, 1);
        external.push(L, Registry.event_calls);
        if (lua.lua_getfield(L, -1, name.ptr) == 0) {
            lua.pop(L, 1);
            _ = lua.lua_pushstring(L, name.ptr);
            lua.lua_pushcclosure(L, call, 1);
            lua.lua_pushvalue(L, -1);
            lua.lua_setfield(L, -3, name.ptr);
        }
        lua.lua_setfield(L, m, name.ptr);
        lua.pop(L, 1);
    }
}

/// A metamethod of M: calls the present one of the first operand that has it. Upvalue: its name. A first
/// operand that is no external table has none, or has called us: strings ask the second one's.
fn call(L: *lua.State) callconv(.c) c_int {
    const count = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 4, null);
    var operand: c_int = 1;
    while (operand <= @min(count, 2)) : (operand += 1) {
        if (operand == 1 and count > 1 and !external.is(L, operand)) continue;
        if (lua.lua_getmetatable(L, operand) == 0) continue;
        if (external.is(L, operand)) {
            external.pushSlot(L, -1, .metatable);
            lua.remove(L, -2);
        }
        if (lua.typeAt(L, -1) == .table) {
            lua.lua_pushvalue(L, lua.upvalueIndex(1));
            if (lua.lua_rawget(L, -2) != 0) {
                lua.insert(L, 1);
                lua.pop(L, 1);
                lua.lua_callk(L, count, lua.multret, 0, finish);
                return lua.lua_gettop(L);
            }
            lua.pop(L, 1);
        }
        lua.pop(L, 1);
    }
    return without(L);
}

/// The metamethod is gone since M was last told: does what Lua does without it.
fn without(L: *lua.State) c_int {
    const count = lua.lua_gettop(L);
    const name = lua.stringAt(L, lua.upvalueIndex(1));
    var operand: c_int = 1;
    while (operand <= @min(count, 2)) : (operand += 1) {
        if (!external.is(L, operand)) continue;
        external.pushMeta(L, operand);
        external.pushSlot(L, -1, .metatable);
        if (lua.typeAt(L, -1) != .table) {
            lua.pop(L, 1);
            lua.lua_createtable(L, 0, 0);
        }
        fill(L, -2, -1);
        lua.lua_settop(L, count);
    }
    if (std.mem.eql(u8, name, "__eq")) {
        lua.lua_pushboolean(L, lua.lua_rawequal(L, 1, 2));
        return 1;
    }
    // What raises the right message; here it has no place yet.
    lua.lua_pushvalue(L, lua.upvalueIndex(1));
    lua.lua_pushcclosure(L, operate, 1);
    lua.insert(L, 1);
    if (lua.lua_pcallk(L, count, 1, 0, 0, null) == lua.ok) return 1;
    lua.luaL_where(L, 1);
    lua.insert(L, -2);
    lua.lua_concat(L, 2);
    return lua.lua_error(L);
}

/// Arguments: operands. Upvalue: the name of the operation.
fn operate(L: *lua.State) callconv(.c) c_int {
    const name = lua.stringAt(L, lua.upvalueIndex(1))[2..];
    const arithmetic = [_][]const u8{
        "add",  "sub", "mul",  "mod", "pow", "div", "idiv",
        "band", "bor", "bxor", "shl", "shr", "unm", "bnot",
    };
    for (arithmetic, 0..) |one, number| {
        if (!std.mem.eql(u8, one, name)) continue;
        lua.lua_settop(L, if (number >= arithmetic.len - 2) 1 else 2);
        lua.lua_arith(L, @intCast(number));
        return 1;
    }
    if (std.mem.eql(u8, name, "concat")) {
        lua.lua_concat(L, 2);
    } else if (std.mem.eql(u8, name, "lt") or std.mem.eql(u8, name, "le")) {
        lua.lua_pushboolean(L, lua.lua_compare(L, 1, 2, if (name[1] == 't') 1 else 2));
    } else {
        lua.lua_callk(L, lua.lua_gettop(L) - 1, 1, 0, null);
    }
    return 1;
}

fn finish(L: *lua.State, _: c_int, _: lua.KContext) callconv(.c) c_int {
    return lua.lua_gettop(L);
}

/// After the metatable at `index` got a metamethod it did not have: those who have it as metatable
/// learn of it. Stack: unchanged.
pub fn spread(L: *lua.State, index: c_int) void {
    const metatable = lua.lua_absindex(L, index);
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 8, null);
    external.push(L, Registry.by_id);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 1) != 0) {
        external.pushMeta(L, -1);
        external.pushSlot(L, -1, .metatable);
        if (lua.lua_rawequal(L, -1, metatable) != 0) fill(L, -2, metatable);
        lua.pop(L, 3);
    }
    lua.lua_settop(L, top);
}
