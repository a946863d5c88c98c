//! Persisted functions: their ids, and the cells that their upvalues are in. The code itself is
//! code.zig's. An upvalue can be written without anybody noticing, so at each flush every cell that is
//! alive is compared with what the store has.

const std = @import("std");
const lua = @import("lua.zig");
const adoption = @import("adopt.zig");
const code = @import("code.zig");
const critical = @import("critical.zig");
const external = @import("external.zig");
const ids = @import("ids.zig");
const load = @import("load.zig");
const path = @import("path.zig");
const pending = @import("pending.zig");
const record = @import("record.zig");
const Request = @import("storecall.zig").Request;
const Registry = external.Registry;

extern fn core_cell_new(*lua.State, c_int, c_int, lua.Integer) void;
extern fn core_cell_id(*lua.State, c_int) lua.Integer;
extern fn core_cell_changed(*lua.State, c_int) c_int;
extern fn core_cell_value(*lua.State, c_int) void;
extern fn core_cell_set(*lua.State, c_int) void;
extern fn core_cell_saved(*lua.State, c_int) void;
extern fn core_cell_join(*lua.State, c_int, c_int, c_int) void;
extern fn core_cell_of_upvalue(*lua.State, c_int, c_int, c_int) c_int;
extern fn core_cell_remember(*lua.State, c_int, c_int) void;
extern fn core_upvalue_count(*lua.State, c_int) c_int;
extern fn core_bytes_in_use(*lua.State) usize;
extern fn core_collect_quietly(*lua.State) void;

var new_count: lua.Integer = 0;
/// Whether there was ever a persisted upvalue in this VM.
pub var have_cells = false;

/// How many cells there are, garbage included, and how many there may be before they are swept.
var cell_count: u32 = 0;
var cells_max: u32 = cells_min;
/// What Lua may have in use before cells are swept: they may keep long strings alive.
var bytes_max: usize = bytes_min;
const cells_min = 1024;
const bytes_min = 512 * 1024;

/// Stack: unchanged.
pub fn open(L: *lua.State) void {
    external.push(L, Registry.cells);
    lua.lua_createtable(L, 0, 1);
    lua.lua_pushboolean(L, 0);
    lua.lua_setfield(L, -2, "__mode");
    _ = lua.lua_setmetatable(L, -2);
    lua.pop(L, 1);
}

/// The id of the persisted function at `index`, 0 for any other. Stack: unchanged.
pub noinline fn idOf(L: *lua.State, index: c_int) lua.Integer {
    const function = lua.lua_absindex(L, index);
    external.push(L, Registry.function_ids);
    lua.lua_pushvalue(L, function);
    _ = lua.lua_rawget(L, -2);
    defer lua.pop(L, 2);
    return lua.lua_tointegerx(L, -1, null);
}

pub fn isLua(L: *lua.State, index: c_int) bool {
    return core_upvalue_count(L, index) >= 0;
}

/// Makes the Lua function at `index` a persisted one. What its upvalues hold can be stored, or will be
/// adopted when they are. Stack: unchanged.
pub fn adopt(L: *lua.State, index: c_int) void {
    have_cells = true;
    const function = lua.lua_absindex(L, index);
    know(L, function, ids.next(L));
    takeCells(L, function);
    markNew(L, function);
}

/// The function at `function` is the persisted one with this id. Stack: unchanged.
noinline fn know(L: *lua.State, function: c_int, id: lua.Integer) void {
    lua.luaL_checkstack(L, 6, null);
    external.push(L, Registry.function_ids);
    lua.lua_pushvalue(L, function);
    lua.lua_pushinteger(L, id);
    lua.lua_rawset(L, -3);
    external.push(L, Registry.functions);
    lua.lua_pushvalue(L, function);
    lua.lua_rawseti(L, -2, id);
    lua.pop(L, 2);
}

/// Finds or makes the cell of each upvalue. Stack: unchanged.
noinline fn takeCells(L: *lua.State, function: c_int) void {
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 8, null);
    const count = core_upvalue_count(L, function);
    lua.lua_createtable(L, count, 0);
    var n: c_int = 1;
    while (n <= count) : (n += 1) {
        external.push(L, Registry.cells_of_upvalues);
        if (core_cell_of_upvalue(L, -1, function, n) == 0) pushNewCell(L, function, n, ids.next(L));
        lua.lua_rawseti(L, top + 1, n);
        lua.lua_settop(L, top + 1);
    }
    keepCells(L, function);
}

/// Pushes a cell with this id for an upvalue. Stack: +1.
fn pushNewCell(L: *lua.State, function: c_int, n: c_int, id: lua.Integer) void {
    have_cells = true;
    core_cell_new(L, function, n, id);
    external.push(L, Registry.cells);
    lua.lua_pushvalue(L, -2);
    lua.lua_rawseti(L, -2, id);
    external.push(L, Registry.cells_of_upvalues);
    core_cell_remember(L, -1, -3);
    lua.pop(L, 2);
    cell_count += 1;
}

/// The array of cells at the top belongs to the function. Stack: -1.
noinline fn keepCells(L: *lua.State, function: c_int) void {
    const cells = lua.lua_gettop(L);
    external.push(L, Registry.cells_of);
    lua.lua_pushvalue(L, function);
    lua.lua_pushvalue(L, cells);
    lua.lua_rawset(L, -3);
    lua.lua_settop(L, cells - 1);
}

/// After a flush: sweeps cells when there may be much garbage among them. Stack: unchanged.
pub fn sweepIfDue(L: *lua.State) void {
    if (cell_count == 0) return;
    if (cell_count >= cells_max or core_bytes_in_use(L) >= bytes_max) sweep(L);
}

/// A full collection of garbage, that of cells included. Finalizers do not run. What is in cells must have
/// been flushed; otherwise nothing happens. Stack: unchanged.
pub noinline fn sweep(L: *lua.State) void {
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 8, null);
    if (pushChanged(L)) return lua.lua_settop(L, top);
    external.push(L, Registry.cells);
    _ = lua.lua_getmetatable(L, top + 1);
    // From here to where they are strong again, nothing can fail.
    lua.lua_pushboolean(L, 0);
    _ = lua.lua_pushstring(L, "v");
    lua.lua_setfield(L, top + 2, "__mode");
    core_collect_quietly(L);
    lua.lua_setfield(L, top + 2, "__mode");
    lua.lua_settop(L, top);
    cell_count = countCells(L);
    cells_max = @max(2 * cell_count, cells_min);
    bytes_max = @max(2 * core_bytes_in_use(L), bytes_min);
}

/// How many cells there are.
fn countCells(L: *lua.State) u32 {
    const top = lua.lua_gettop(L);
    var number: u32 = 0;
    external.push(L, Registry.cells);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 1) != 0) : (lua.pop(L, 1)) number += 1;
    lua.lua_settop(L, top);
    return number;
}

fn markNew(L: *lua.State, function: c_int) void {
    external.push(L, Registry.new_functions);
    lua.lua_pushvalue(L, function);
    lua.lua_rawseti(L, -2, new_count + 1);
    new_count += 1;
    lua.pop(L, 1);
}

pub fn hasNew() bool {
    return new_count > 0;
}

/// Stores the functions that are new, and their cells. Stack: unchanged.
pub fn flushNew(L: *lua.State, batch: *record.Batch) void {
    if (new_count == 0) return;
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 12, null);
    external.push(L, Registry.new_functions);
    while (new_count > 0) : (new_count -= 1) {
        _ = lua.lua_rawgeti(L, top + 1, new_count);
        defineFunction(L, top + 2);
        lua.lua_pushnil(L);
        lua.lua_rawseti(L, top + 1, new_count);
        lua.lua_settop(L, top + 1);
    }
    lua.lua_settop(L, top);
    flushCells(L, batch);
}

fn defineFunction(L: *lua.State, function: c_int) void {
    const code_id = code.define(L, function);
    external.push(L, Registry.cells_of);
    lua.lua_pushvalue(L, function);
    _ = lua.lua_rawget(L, -2);
    const cells = lua.lua_gettop(L);
    const count: lua.Integer = @intCast(lua.lua_rawlen(L, cells));
    var request: Request = .{};
    request.int(i64, idOf(L, function));
    request.int(i64, code_id);
    request.int(u32, @intCast(count));
    var n: lua.Integer = 1;
    while (n <= count) : (n += 1) {
        _ = lua.lua_rawgeti(L, cells, n);
        request.int(i64, core_cell_id(L, -1));
        lua.pop(L, 1);
    }
    _ = request.send(L, .define_function);
}

/// Compares all cells with what the store has of them, and stores what differs. Stack: unchanged.
pub noinline fn flushCells(L: *lua.State, batch: *record.Batch) void {
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 12, null);
    while (pushChanged(L)) {
        const count: lua.Integer = @intCast(lua.lua_rawlen(L, top + 1));
        var n: lua.Integer = 1;
        while (n <= count) : (n += 1) {
            _ = lua.lua_rawgeti(L, top + 1, n);
            const cell = top + 2;
            core_cell_value(L, cell);
            if (!record.isStorable(L, top + 3)) adoption.adopt(L, 0, cell, top + 3);
            batch.add(L, .cell, core_cell_id(L, cell), 0, top + 3);
            core_cell_saved(L, cell);
            lua.lua_settop(L, top + 1);
        }
        lua.lua_settop(L, top);
    }
}

/// Pushes an array of the cells that were changed, if there are any. Stack: +1 if so.
fn pushChanged(L: *lua.State) bool {
    const top = lua.lua_gettop(L);
    var count: lua.Integer = 0;
    external.push(L, Registry.cells);
    lua.lua_pushnil(L);
    lua.lua_pushnil(L);
    // Stack: cells, the array or nil, key; then the value.
    while (lua.lua_next(L, top + 1) != 0) : (lua.pop(L, 1)) {
        if (core_cell_changed(L, top + 4) == 0) continue;
        if (count == 0) {
            lua.lua_createtable(L, 4, 0);
            lua.lua_copy(L, -1, top + 2);
            lua.pop(L, 1);
        }
        count += 1;
        lua.lua_pushvalue(L, top + 4);
        lua.lua_rawseti(L, top + 2, count);
    }
    lua.remove(L, top + 1);
    if (count == 0) lua.lua_settop(L, top);
    return count > 0;
}

/// Pushes the persisted function with this id: the one that the VM has, or one made of what the store
/// has, with values of cells that are functions left to `pending.settle`. Where the store refuses, a
/// function that raises the reason when it is called, and that is stored as the one it stands for.
/// Stack: +1.
pub noinline fn pushShell(L: *lua.State, id: lua.Integer) void {
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 16, null);
    external.push(L, Registry.functions);
    if (lua.lua_rawgeti(L, -1, id) != 0) return lua.remove(L, -2);
    lua.lua_settop(L, top);
    var request: Request = .{};
    request.int(i64, id);
    var reply = request.send(L, .function);
    if (reply.int(u8) == 0) {
        reply.pushText(L);
        return pushRefused(L, id);
    }
    const code_id = reply.int(i64);
    const count = reply.int(u32);
    // Of each cell its id, its value, and the id of the function that is its value, or 0.
    lua.lua_createtable(L, @intCast(3 * count), 0);
    for (0..count) |n| {
        const place: lua.Integer = @intCast(3 * n);
        lua.lua_pushinteger(L, reply.int(i64));
        lua.lua_rawseti(L, top + 1, place + 1);
        const function_id = load.pushValue(L, &reply);
        lua.lua_rawseti(L, top + 1, place + 2);
        lua.lua_pushinteger(L, function_id);
        lua.lua_rawseti(L, top + 1, place + 3);
    }
    lua.pushFunction(L, pushCode);
    lua.lua_pushinteger(L, code_id);
    const status = lua.lua_pcallk(L, 1, 1, 0, 0, null);
    if (status == lua.err_mem) {
        critical.doom();
        _ = lua.lua_error(L);
    }
    if (status != lua.ok) {
        lua.remove(L, top + 1);
        return pushRefused(L, id);
    }
    know(L, top + 2, id);
    joinCells(L, top + 2, top + 1, @min(count, @as(u32, @intCast(core_upvalue_count(L, top + 2)))));
    lua.remove(L, top + 1);
}

/// Argument: the id of some code.
fn pushCode(L: *lua.State) callconv(.c) c_int {
    code.push(L, lua.lua_tointegerx(L, 1, null));
    return 1;
}

/// Gives the function its cells, known ones or new ones with the values in `values`. Stack: unchanged.
fn joinCells(L: *lua.State, function: c_int, values: c_int, count: u32) void {
    const top = lua.lua_gettop(L);
    lua.lua_createtable(L, @intCast(count), 0);
    for (0..count) |index| {
        const n: c_int = @intCast(index + 1);
        const place: lua.Integer = @intCast(3 * index);
        _ = lua.lua_rawgeti(L, values, place + 1);
        const cell_id = lua.lua_tointegerx(L, -1, null);
        external.push(L, Registry.cells);
        if (lua.lua_rawgeti(L, -1, cell_id) != 0) {
            core_cell_join(L, -1, function, n);
        } else {
            lua.pop(L, 1);
            pushNewCell(L, function, n, cell_id);
            const cell = lua.lua_gettop(L);
            _ = lua.lua_rawgeti(L, values, place + 3);
            const function_id = lua.lua_tointegerx(L, -1, null);
            _ = lua.lua_rawgeti(L, values, place + 2);
            if (external.is(L, -1)) nameUpvalue(L, function, n);
            fillCell(L, cell);
            if (function_id != 0) pending.wantCellFunction(L, cell, function_id);
            lua.lua_settop(L, cell);
        }
        lua.lua_rawseti(L, top + 1, n);
        lua.lua_settop(L, top + 1);
    }
    keepCells(L, function);
}

/// The external table at the top is in upvalue `n` of the function. Stack: unchanged.
fn nameUpvalue(L: *lua.State, function: c_int, n: c_int) void {
    const value = lua.lua_gettop(L);
    var text: path.Path = .{};
    describeUpvalue(L, function, n, &text);
    lua.pushString(L, text.bytes[0..text.length]);
    load.noteName(L, value + 1, value);
    lua.pop(L, 1);
}

/// For a message: `upvalue 'n' of the function at file.lua:3`. Stack: unchanged.
fn describeUpvalue(L: *lua.State, function: c_int, n: c_int, text: *path.Path) void {
    const name = lua.lua_getupvalue(L, function, n) orelse return;
    lua.pop(L, 1);
    text.add("upvalue '");
    text.add(std.mem.span(name));
    text.add("' of the function at ");
    var ar: lua.Debug = undefined;
    lua.lua_pushvalue(L, function);
    _ = lua.lua_getinfo(L, ">S", &ar);
    text.add(std.mem.sliceTo(&ar.short_source, 0));
    var buffer: [16]u8 = undefined;
    text.add(std.fmt.bufPrint(&buffer, ":{d}", .{@max(ar.line_defined, 0)}) catch unreachable);
}

/// The value at the top is what the store has of the cell. Stack: -1.
pub noinline fn fillCell(L: *lua.State, cell: c_int) void {
    core_cell_set(L, cell);
    core_cell_saved(L, cell);
}

/// Replaces the reason at the top by a function that raises it. Stack: unchanged.
fn pushRefused(L: *lua.State, id: lua.Integer) void {
    lua.lua_pushcclosure(L, refused, 1);
    know(L, lua.lua_gettop(L), id);
}

fn refused(L: *lua.State) callconv(.c) c_int {
    return lua.luaL_error(L, "%s", lua.luaL_tolstring(L, lua.upvalueIndex(1), null));
}

/// Takes from the store what the cells that are alive hold now. Functions are left to `pending.settle`.
/// Stack: unchanged.
pub fn reloadCells(L: *lua.State) void {
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 12, null);
    external.push(L, Registry.cells);
    lua.lua_createtable(L, 0, 0);
    var count: u32 = 0;
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 1) != 0) {
        count += 1;
        lua.lua_rawseti(L, top + 2, count);
    }
    if (count == 0) return lua.lua_settop(L, top);
    var request: Request = .{};
    request.int(u32, count);
    for (0..count) |n| {
        _ = lua.lua_rawgeti(L, top + 2, @intCast(n + 1));
        request.int(i64, core_cell_id(L, -1));
        lua.pop(L, 1);
    }
    var reply = request.send(L, .cells);
    for (0..count) |n| {
        _ = lua.lua_rawgeti(L, top + 2, @intCast(n + 1));
        const is_known = reply.int(u8) != 0;
        const function_id = load.pushValue(L, &reply);
        if (is_known) {
            fillCell(L, top + 3);
            if (function_id != 0) pending.wantCellFunction(L, top + 3, function_id);
        }
        lua.lua_settop(L, top + 2);
    }
    lua.lua_settop(L, top);
}

/// debug.upvaluejoin gave the function at `index` another upvalue.
export fn core_upvalues_joined(L: *lua.State, index: c_int) void {
    const function = lua.lua_absindex(L, index);
    if (!isLua(L, function) or idOf(L, function) == 0) return;
    takeCells(L, function);
    markNew(L, function);
}

/// For a message: `upvalue n of the function at file.lua:3`, of some function that uses the cell.
pub fn describeCell(L: *lua.State, index: c_int, text: *path.Path) void {
    const top = lua.lua_gettop(L);
    lua.luaL_checkstack(L, 12, null);
    external.push(L, Registry.cells_of);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 1) != 0) : (lua.pop(L, 1)) {
        const count: lua.Integer = @intCast(lua.lua_rawlen(L, top + 3));
        var n: lua.Integer = 1;
        while (n <= count) : (n += 1) {
            _ = lua.lua_rawgeti(L, top + 3, n);
            const is_it = lua.lua_rawequal(L, -1, index) != 0;
            lua.pop(L, 1);
            if (!is_it) continue;
            describeUpvalue(L, top + 2, @intCast(n), text);
            return lua.lua_settop(L, top);
        }
    }
    text.add("an upvalue of a persisted function");
    lua.lua_settop(L, top);
}
