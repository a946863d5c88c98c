//! The prelude: that part of `ext` which is written in Lua (lua/prelude/). Its functions are fetched
//! from the host when one of them is called first, so that nobody else pays for them.
//!
//! Its chunks are ours, so they get more than a program does: a table of primitives, which is the
//! same that keeps their functions. They have libraries of their own, made afresh, for a program may
//! have changed its. They have no lines, and their frames look like those of C functions: places are
//! the program's own, always.

const lua = @import("lua.zig");
const code = @import("code.zig");
const critical = @import("critical.zig");
const ext = @import("ext.zig");
const external = @import("external.zig");
const flush = @import("flush.zig");
const load = @import("load.zig");
const pending = @import("pending.zig");
const record = @import("record.zig");
const schemas = @import("schemas.zig");
const transaction = @import("transaction.zig");
const wire = @import("wire.zig");
const Request = @import("storecall.zig").Request;
const Registry = external.Registry;

/// What `ext` has of it.
const names = [_][:0]const u8{
    "aggregate", "batch",     "check_schemas", "compress", "count",              "derive_schema", "drop_index",
    "explain",   "functions", "history",       "index",    "indexes",            "info",          "memory",
    "migrate",   "query",     "rebuild_index", "schema",   "schema_annotations", "schemas",       "set_schema_annotations",
    "tables",
};

/// What its chunks get, besides functions of `ext` that are Zig's own.
const primitives = [_]struct { [:0]const u8, lua.CFunction }{
    .{ "compile", compile },
    .{ "data", data },
    .{ "expect", schemas.expect },
    .{ "expected_of", schemas.expectedOf },
    .{ "fail", fail },
    .{ "flush", flushChanges },
    .{ "forget_schemas", schemas.forgetAll },
    .{ "is_external", isExternal },
    .{ "need", need },
    .{ "shapes", schemas.shapes },
    .{ "table", ext.table },
    .{ "transaction", transaction.transaction },
};

extern fn core_conceal(*lua.State) void;
extern fn luaL_loadbufferx(*lua.State, [*]const u8, usize, [*:0]const u8, ?[*:0]const u8) c_int;
extern fn lua_setupvalue(*lua.State, c_int, c_int) ?[*:0]const u8;

/// Puts the functions into the library at the top. Stack: unchanged.
pub fn open(L: *lua.State) void {
    for (names) |name| {
        lua.pushString(L, name);
        lua.lua_pushcclosure(L, call, 1);
        lua.lua_setfield(L, -2, name.ptr);
    }
}

/// A function of `ext`. Upvalue: its name.
fn call(L: *lua.State) callconv(.c) c_int {
    const count = lua.lua_gettop(L);
    lua.lua_pushvalue(L, lua.upvalueIndex(1));
    pushNeeded(L);
    lua.insert(L, 1);
    lua.lua_callk(L, count, lua.multret, 0, finish);
    return lua.lua_gettop(L);
}

fn finish(L: *lua.State, _: c_int, _: lua.KContext) callconv(.c) c_int {
    return lua.lua_gettop(L);
}

/// need(name): a function of the prelude, for another one.
fn need(L: *lua.State) callconv(.c) c_int {
    lua.lua_settop(L, 1);
    pushNeeded(L);
    return 1;
}

/// Replaces the name at the top by what the prelude has of it, which is loaded if it is not there yet.
/// Stack: unchanged.
pub noinline fn pushNeeded(L: *lua.State) void {
    const name = lua.lua_gettop(L);
    const prelude = name + 1;
    lua.luaL_checkstack(L, 20, null);
    external.push(L, Registry.prelude);
    lua.lua_pushvalue(L, name);
    if (lua.lua_rawget(L, prelude) == 0) {
        lua.lua_settop(L, prelude);
        if (lua.lua_rawlen(L, prelude) == 0) fill(L, prelude);
        loadChunk(L, name, prelude);
        lua.lua_pushvalue(L, name);
        _ = lua.lua_rawget(L, prelude);
    }
    lua.lua_copy(L, -1, name);
    lua.lua_settop(L, name);
}

/// Puts the primitives into the table of the prelude, and at 1 the globals of its chunks. These are
/// the functions of the standard library as they are when nobody has touched them. Stack: unchanged.
fn fill(L: *lua.State, prelude: c_int) void {
    const top = lua.lua_gettop(L);
    critical.enter(L);
    for (primitives) |primitive| {
        lua.pushFunction(L, primitive[1]);
        lua.lua_setfield(L, prelude, primitive[0].ptr);
    }
    lua.lua_createtable(L, 0, 0);
    _ = lua.lua_rawgeti(L, lua.registry_index, lua.ridx_globals);
    _ = lua.lua_pushstring(L, "");
    if (lua.lua_getmetatable(L, -1) == 0) lua.lua_pushnil(L);
    // Opening a library changes the globals and the metatable of strings: of others, here.
    lua.lua_pushvalue(L, top + 1);
    lua.lua_rawseti(L, lua.registry_index, lua.ridx_globals);
    inline for (.{
        .{ "_G", lua.luaopen_base },
        .{ "debug", lua.luaopen_debug },
        .{ "math", lua.luaopen_math },
        .{ "string", lua.luaopen_string },
        .{ "table", lua.luaopen_table },
    }) |library| {
        lua.pushFunction(L, library[1]);
        lua.lua_callk(L, 0, 1, 0, null);
        lua.lua_setfield(L, top + 1, library[0]);
    }
    lua.lua_pushvalue(L, top + 2);
    lua.lua_rawseti(L, lua.registry_index, lua.ridx_globals);
    lua.lua_settop(L, top + 4);
    _ = lua.lua_setmetatable(L, top + 3);
    lua.lua_settop(L, top + 1);
    lua.lua_rawseti(L, prelude, 1);
    critical.leave(L);
}

/// Runs the chunk that has the function with this name, and keeps what it returns: a table of functions.
/// Stack: unchanged.
fn loadChunk(L: *lua.State, name: c_int, prelude: c_int) void {
    const top = lua.lua_gettop(L);
    var request: Request = .{};
    request.text(lua.stringAt(L, name));
    var reply = request.send(L, .prelude);
    reply.pushText(L);
    const text = lua.stringAt(L, -1);
    // The name of C functions' chunk: so it is shown, and nothing of it.
    if (luaL_loadbufferx(L, text.ptr, text.len, "=[C]", "t") != lua.ok) _ = lua.lua_error(L);
    core_conceal(L);
    _ = lua.lua_rawgeti(L, prelude, 1);
    _ = lua_setupvalue(L, -2, 1);
    lua.lua_pushvalue(L, prelude);
    lua.lua_callk(L, 1, 1, 0, null);
    const functions = lua.lua_gettop(L);
    if (lua.typeAt(L, functions) == .table) {
        lua.lua_pushnil(L);
        while (lua.lua_next(L, functions) != 0) {
            lua.lua_pushvalue(L, -2);
            lua.insert(L, -2);
            lua.lua_rawset(L, prelude);
        }
    }
    lua.lua_settop(L, top);
}

/// compile(text, chunk name, number): the text's function, or nil and a message. The number is the one by
/// which the host knows the text, for functions of it that are persisted.
fn compile(L: *lua.State) callconv(.c) c_int {
    const text = lua.stringAt(L, 1);
    code.core_source_serial = @intCast(lua.lua_tointegerx(L, 3, null));
    defer code.core_source_serial = 0;
    const name: [*:0]const u8 = @ptrCast(lua.lua_tolstring(L, 2, null).?);
    if (luaL_loadbufferx(L, text.ptr, text.len, name, "t") == lua.ok) return 1;
    lua.lua_pushnil(L);
    lua.insert(L, -2);
    return 2;
}

/// fail(message): an error at the line of the program that runs.
fn fail(L: *lua.State) callconv(.c) c_int {
    lua.lua_settop(L, 1);
    var ar: lua.Debug = undefined;
    var level: c_int = 1;
    while (lua.lua_getstack(L, level, &ar) != 0) : (level += 1) {
        _ = lua.lua_getinfo(L, "Sl", &ar);
        if (ar.current_line <= 0) continue;
        _ = lua.lua_pushfstring(L, "%s:%d: ", &ar.short_source, ar.current_line);
        lua.insert(L, 1);
        lua.lua_concat(L, 2);
        break;
    }
    return lua.lua_error(L);
}

fn flushChanges(L: *lua.State) callconv(.c) c_int {
    flush.flushNow(L);
    return 0;
}

fn isExternal(L: *lua.State) callconv(.c) c_int {
    lua.lua_pushboolean(L, @intFromBool(lua.typeAt(L, 1) == .table and external.is(L, 1)));
    return 1;
}

/// data(name, value): what the host's operation of that name makes of the value. Plain tables are passed
/// by content both ways, external ones by identity. An error without a place where the operation refuses.
fn data(L: *lua.State) callconv(.c) c_int {
    lua.lua_settop(L, 2);
    check(L, 2, 0);
    lua.lua_createtable(L, 1, 0);
    critical.enter(L);
    flush.makeRoom(L);
    var request: Request = .{};
    request.text(lua.stringAt(L, 1));
    write(L, &request, 2);
    var reply = request.send(L, .data);
    const is_refused = reply.int(u8) != 0;
    load.readTable(L, &reply, 1);
    load.readNested(L, &reply);
    pending.settle(L);
    critical.leave(L);
    _ = lua.lua_rawgeti(L, 3, 1);
    return if (is_refused) lua.lua_error(L) else 1;
}

fn isPlain(L: *lua.State, index: c_int) bool {
    return lua.typeAt(L, index) == .table and !record.isStorable(L, index);
}

/// Raises an error for what cannot be passed; once a request has begun it has to be finished.
fn check(L: *lua.State, index: c_int, depth: u32) void {
    const top = lua.lua_gettop(L);
    if (isPlain(L, index)) {
        lua.luaL_checkstack(L, 4, null);
        if (depth == wire.decode_depth_max) _ = lua.luaL_error(L, "tables are nested too deeply");
        lua.lua_pushnil(L);
        while (lua.lua_next(L, index) != 0) : (lua.pop(L, 1)) {
            if (isPlain(L, top + 1)) _ = lua.luaL_error(L, "a plain table cannot be a key here");
            check(L, top + 1, depth + 1);
            check(L, top + 2, depth + 1);
        }
        return;
    }
    if (!record.isStorable(L, index)) {
        const kind = lua.lua_typename(L, lua.lua_type(L, index));
        _ = lua.luaL_error(L, "a %s that is not stored cannot be used here", kind);
    }
    if (lua.typeAt(L, index) == .table and external.is(L, index)) {
        external.pushMeta(L, index);
        critical.enter(L);
        load.resolve(L, index, top + 1);
        critical.leave(L);
        lua.lua_settop(L, top);
    }
}

/// What was checked. Stack: unchanged.
fn write(L: *lua.State, request: *Request, index: c_int) void {
    if (!isPlain(L, index)) return record.writeValue(L, request, index);
    const top = lua.lua_gettop(L);
    var count: u32 = 0;
    lua.lua_pushnil(L);
    while (lua.lua_next(L, index) != 0) : (lua.pop(L, 1)) count += 1;
    request.int(u8, @backingInt(wire.Tag.table));
    request.int(u32, count);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, index) != 0) : (lua.pop(L, 1)) {
        write(L, request, top + 1);
        write(L, request, top + 2);
    }
}
