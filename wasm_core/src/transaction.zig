//! `ext.transaction`: on an error the store goes back to a savepoint, and the memory of the VM with it.
//!
//! The host copies the memory while it serves BEGIN, and copies it back while it serves ROLLBACK. That
//! is sound because both are called from `run`: at the time of ROLLBACK everything that ran in between
//! has been unwound, so the frames of WebAssembly that are live are the same that were at BEGIN, and
//! what they keep in memory is what it was then. `run` itself keeps nothing across the two calls but
//! what it knew before the first.

const std = @import("std");
const lua = @import("lua.zig");
const critical = @import("critical.zig");
const external = @import("external.zig");
const flush = @import("flush.zig");
const output = @import("root").output;
const pending = @import("pending.zig");
const storecall = @import("storecall.zig");
const wire = @import("wire.zig");
const exchange = &@import("exchange.zig").exchange;

/// ext.transaction(f, ...): arguments are a function and its arguments.
pub fn transaction(L: *lua.State) callconv(.c) c_int {
    if (lua.typeAt(L, 1) != .function) return lua.luaL_argerror(L, 1, "function expected");
    flush.flushNow(L);
    output.flush();
    if (run(L, lua.lua_gettop(L) - 1)) return lua.lua_gettop(L);
    // The memory is that of BEGIN: the function and its arguments are on the stack again.
    pushError(L);
    return lua.lua_error(L);
}

/// Whether it ended well; its results are on the stack then.
noinline fn run(L: *lua.State, argument_count: c_int) bool {
    _ = storecall.sendLast(L, .begin, "");
    lua.pushFunction(L, flushBody);
    lua.insert(L, 1);
    const status = lua.lua_pcallk(L, argument_count, lua.multret, 0, 0, null);
    if (status == lua.ok) {
        lua.lua_pushvalue(L, 1);
        if (lua.lua_pcallk(L, 0, 0, 0, 0, null) == lua.ok) {
            lua.remove(L, 1);
            output.flush();
            _ = storecall.sendLast(L, .release, "");
            return true;
        }
    }
    keepError(L);
    output.flush();
    _ = storecall.sendLast(L, .rollback, "");
    return false;
}

fn flushBody(L: *lua.State) callconv(.c) c_int {
    flush.flushNow(L);
    return 0;
}

/// The error that is raised again has to outlive the rollback: it waits in the exchange buffers.
fn keepError(L: *lua.State) void {
    const kept = &exchange.kept_error;
    const index = lua.lua_gettop(L);
    kept.kind = .text;
    switch (lua.typeAt(L, index)) {
        .nil => kept.kind = .nil,
        .boolean => {
            kept.kind = .boolean;
            kept.bits = lua.lua_toboolean(L, index);
        },
        .number => if (lua.lua_isinteger(L, index) != 0) {
            kept.kind = .integer;
            kept.bits = lua.lua_tointegerx(L, index, null);
        } else {
            kept.kind = .float;
            kept.bits = @bitCast(lua.lua_tonumberx(L, index, null));
        },
        .string => keepText(lua.stringAt(L, index)),
        .table => if (external.is(L, index)) {
            kept.kind = .external_table;
            kept.bits = external.idOf(L, index);
        } else keepTable(L, index),
        else => keepText("the error value was rolled back with the transaction"),
    }
}

fn keepText(text: []const u8) void {
    const kept = &exchange.kept_error;
    const length = @min(text.len, kept.bytes.len);
    @memcpy(kept.bytes[0..length], text[0..length]);
    kept.length = @intCast(length);
}

/// Of a plain table its scalar fields are kept, as far as there is room.
fn keepTable(L: *lua.State, table: c_int) void {
    const kept = &exchange.kept_error;
    kept.kind = .table;
    var length: u32 = 0;
    lua.luaL_checkstack(L, 4, null);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, table) != 0) : (lua.pop(L, 1)) {
        const top = lua.lua_gettop(L);
        const before = length;
        for ([_]c_int{ top - 1, top }) |index| {
            if (!keepScalar(L, index, &length)) {
                length = before;
                break;
            }
        }
    }
    kept.length = length;
}

fn keepScalar(L: *lua.State, index: c_int, length: *u32) bool {
    const bytes = exchange.kept_error.bytes[length.*..];
    if (bytes.len < 9) return false;
    switch (lua.typeAt(L, index)) {
        .boolean => {
            bytes[0] = @backingInt(wire.Tag.boolean);
            bytes[1] = @intCast(lua.lua_toboolean(L, index));
            length.* += 2;
        },
        .number => {
            const is_integer = lua.lua_isinteger(L, index) != 0;
            bytes[0] = @backingInt(if (is_integer) wire.Tag.integer else wire.Tag.float);
            const bits: i64 = if (is_integer)
                lua.lua_tointegerx(L, index, null)
            else
                @bitCast(lua.lua_tonumberx(L, index, null));
            std.mem.writeInt(i64, bytes[1..9], bits, .little);
            length.* += 9;
        },
        .string => {
            const text = lua.stringAt(L, index);
            if (text.len > bytes.len - 5) return false;
            bytes[0] = @backingInt(wire.Tag.string);
            std.mem.writeInt(u32, bytes[1..5], @intCast(text.len), .little);
            @memcpy(bytes[5..][0..text.len], text);
            length.* += @intCast(5 + text.len);
        },
        else => return false,
    }
    return true;
}

/// Pushes what was kept. Stack: +1.
fn pushError(L: *lua.State) void {
    const kept = &exchange.kept_error;
    switch (kept.kind) {
        .nil => lua.lua_pushnil(L),
        .boolean => lua.lua_pushboolean(L, @intCast(kept.bits)),
        .integer => lua.lua_pushinteger(L, kept.bits),
        .float => lua.lua_pushnumber(L, @bitCast(kept.bits)),
        .text => lua.pushString(L, kept.bytes[0..kept.length]),
        .table => {
            var reader: wire.Reader = .{ .bytes = kept.bytes[0..kept.length] };
            lua.lua_createtable(L, 0, 0);
            while (reader.position < reader.bytes.len) {
                reader.push(L, 0) catch unreachable;
                reader.push(L, 0) catch unreachable;
                lua.lua_rawset(L, -3);
            }
        },
        .external_table => {
            // One that the transaction made is gone with it: an empty table is left.
            critical.enter(L);
            external.pushById(L, kept.bits, pending.unknown_metatable);
            pending.settle(L);
            critical.leave(L);
        },
    }
}
