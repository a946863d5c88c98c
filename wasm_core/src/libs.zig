//! The libraries: the stock ones, with what needs a machine around it refused clearly or replaced.

const std = @import("std");
const lua = @import("lua.zig");
const code = @import("code.zig");
const ext = @import("ext.zig");
const host = @import("host.zig");
const iterate = @import("iterate.zig");
const output = @import("root").output;
const c = @import("internals.zig");
const protocol = @import("protocol.zig");

/// Opens everything into a new state. Runs protected. Stack: unchanged.
pub fn open(L: *lua.State) callconv(.c) c_int {
    const libraries = .{
        .{ "_G", lua.luaopen_base },
        .{ "package", lua.luaopen_package },
        .{ "coroutine", lua.luaopen_coroutine },
        .{ "table", lua.luaopen_table },
        .{ "os", lua.luaopen_os },
        .{ "string", lua.luaopen_string },
        .{ "utf8", lua.luaopen_utf8 },
        .{ "math", lua.luaopen_math },
        .{ "debug", lua.luaopen_debug },
        .{ "io", openIo },
    };
    inline for (libraries) |library| {
        lua.luaL_requiref(L, library[0], library[1], 1);
        lua.pop(L, 1);
    }
    lua.pushFunction(L, output.print);
    lua.lua_setglobal(L, "print");
    lua.lua_setwarnf(L, output.warn, null);
    replaceStringRep(L);
    setOsClock(L);
    refuse(L, "os", &.{ "execute", "exit", "remove", "rename", "tmpname" });
    quietNativeSearchers(L);
    // Anchored, so that raising it never allocates.
    _ = lua.lua_pushstring(L, c.interrupted_message);
    lua.lua_setfield(L, lua.registry_index, "lua-persist.interrupted");
    _ = lua.lua_rawgeti(L, lua.registry_index, lua.ridx_globals);
    _ = lua.lua_getfield(L, -1, "next");
    lua.lua_setfield(L, lua.registry_index, iterate.next_name);
    lua.pop(L, 1);
    code.open(L);
    ext.open(L);
    return 0;
}

/// Puts functions that raise a clear error into a library.
fn refuse(L: *lua.State, comptime library: [:0]const u8, comptime names: []const [:0]const u8) void {
    _ = lua.lua_rawgeti(L, lua.registry_index, lua.ridx_globals);
    _ = lua.lua_getfield(L, -1, library);
    inline for (names) |name| {
        _ = lua.lua_pushstring(L, library ++ "." ++ name);
        lua.lua_pushcclosure(L, refused, 1);
        lua.lua_setfield(L, -2, name);
    }
    lua.pop(L, 2);
}

const refusal = "%s is not available: the program runs in a sandbox without files and processes";

fn refused(L: *lua.State) callconv(.c) c_int {
    const name = lua.lua_tolstring(L, lua.upvalueIndex(1), null).?;
    return lua.luaL_error(L, refusal, name);
}

/// In c/hot.c, which tells why.
extern fn core_string_rep(*lua.State) callconv(.c) c_int;

fn replaceStringRep(L: *lua.State) void {
    _ = lua.lua_rawgeti(L, lua.registry_index, lua.ridx_globals);
    _ = lua.lua_getfield(L, -1, "string");
    setFunction(L, "rep", core_string_rep);
    lua.pop(L, 2);
}

/// os.clock: seconds since the VM was opened. C's clock() would wrap around in 32 bits.
fn setOsClock(L: *lua.State) void {
    _ = lua.lua_rawgeti(L, lua.registry_index, lua.ridx_globals);
    _ = lua.lua_getfield(L, -1, "os");
    lua.lua_pushnumber(L, host.seconds(.monotonic, 0));
    lua.lua_pushcclosure(L, osClock, 1);
    lua.lua_setfield(L, -2, "clock");
    lua.pop(L, 2);
}

fn osClock(L: *lua.State) callconv(.c) c_int {
    const start = lua.lua_tonumberx(L, lua.upvalueIndex(1), null);
    lua.lua_pushnumber(L, host.seconds(.monotonic, 0) - start);
    return 1;
}

/// There are no dynamic libraries, so package.cpath is empty, and then the searchers of them have
/// nothing to say in the message of a module that was not found.
fn quietNativeSearchers(L: *lua.State) void {
    _ = lua.lua_rawgeti(L, lua.registry_index, lua.ridx_globals);
    _ = lua.lua_getfield(L, -1, "package");
    _ = lua.lua_getfield(L, -1, "searchers");
    for ([_]lua.Integer{ 3, 4 }) |index| {
        _ = lua.lua_rawgeti(L, -1, index);
        lua.lua_pushvalue(L, -3);
        lua.lua_pushcclosure(L, searchNative, 2);
        lua.lua_rawseti(L, -2, index);
    }
    lua.pop(L, 3);
}

/// Upvalues: the stock searcher, and the package library.
fn searchNative(L: *lua.State) callconv(.c) c_int {
    _ = lua.lua_getfield(L, lua.upvalueIndex(2), "cpath");
    if (lua.typeAt(L, -1) == .string and lua.stringAt(L, -1).len == 0) {
        lua.lua_pushnil(L);
        return 1;
    }
    lua.lua_settop(L, 1);
    lua.lua_pushvalue(L, lua.upvalueIndex(1));
    lua.lua_rotate(L, 1, 1);
    lua.lua_callk(L, 1, lua.multret, 0, null);
    return lua.lua_gettop(L);
}

/// The type name of the stock file handles.
const handle_type = "FILE*";

const Handle = extern struct { kind: enum(u8) { stdin, stdout, stderr } };

fn openIo(L: *lua.State) callconv(.c) c_int {
    _ = lua.luaL_newmetatable(L, handle_type);
    lua.lua_createtable(L, 0, 8);
    setFunction(L, "write", handleWrite);
    setFunction(L, "flush", handleFlush);
    setFunction(L, "setvbuf", handleTrue);
    inline for (.{ "close", "lines", "read", "seek" }) |name| {
        _ = lua.lua_pushstring(L, "file:" ++ name);
        lua.lua_pushcclosure(L, refused, 1);
        lua.lua_setfield(L, -2, name);
    }
    lua.lua_setfield(L, -2, "__index");
    setFunction(L, "__tostring", handleToString);
    // The standard handles stay open, whoever asks.
    setFunction(L, "__gc", handleStay);
    setFunction(L, "__close", handleStay);
    lua.pop(L, 1);

    lua.lua_createtable(L, 0, 16);
    pushHandle(L, .stdin);
    lua.lua_pushvalue(L, -1);
    lua.lua_setfield(L, -3, "stdin");
    lua.lua_pushcclosure(L, ioInput, 1);
    lua.lua_setfield(L, -2, "input");
    pushHandle(L, .stderr);
    lua.lua_setfield(L, -2, "stderr");
    pushHandle(L, .stdout);
    lua.lua_pushvalue(L, -1);
    lua.lua_setfield(L, -3, "stdout");
    // io.write, io.flush and io.output know the handle of standard output as upvalue 1.
    lua.lua_pushvalue(L, -1);
    lua.lua_pushcclosure(L, ioWrite, 1);
    lua.lua_setfield(L, -3, "write");
    lua.lua_pushvalue(L, -1);
    lua.lua_pushcclosure(L, ioFlush, 1);
    lua.lua_setfield(L, -3, "flush");
    lua.lua_pushcclosure(L, ioOutput, 1);
    lua.lua_setfield(L, -2, "output");
    setFunction(L, "type", ioType);
    inline for (.{ "close", "lines", "open", "popen", "read", "tmpfile" }) |name| {
        _ = lua.lua_pushstring(L, "io." ++ name);
        lua.lua_pushcclosure(L, refused, 1);
        lua.lua_setfield(L, -2, name);
    }
    return 1;
}

noinline fn setFunction(L: *lua.State, name: [*:0]const u8, function: lua.CFunction) void {
    lua.pushFunction(L, function);
    lua.lua_setfield(L, -2, name);
}

fn pushHandle(L: *lua.State, kind: @FieldType(Handle, "kind")) void {
    const handle: *Handle = @ptrCast(lua.lua_newuserdatauv(L, @sizeOf(Handle), 0).?);
    handle.* = .{ .kind = kind };
    lua.luaL_setmetatable(L, handle_type);
}

fn checkHandle(L: *lua.State) *Handle {
    return @ptrCast(lua.luaL_checkudata(L, 1, handle_type).?);
}

/// Writes the arguments from `first` on, each a string or a number, as io.write does.
fn writeArguments(L: *lua.State, stream: protocol.Stream, first: c_int) void {
    var index = first;
    const last = lua.lua_gettop(L);
    while (index <= last) : (index += 1) {
        var length: usize = 0;
        const text = lua.luaL_checklstring(L, index, &length);
        output.write(stream, text[0..length]);
    }
}

fn ioWrite(L: *lua.State) callconv(.c) c_int {
    writeArguments(L, .stdout, 1);
    lua.lua_pushvalue(L, lua.upvalueIndex(1));
    return 1;
}

fn ioFlush(L: *lua.State) callconv(.c) c_int {
    output.flush();
    lua.lua_pushvalue(L, lua.upvalueIndex(1));
    return 1;
}

/// As the stock library does: a name, a handle, or nothing.
fn checkNameOrHandle(L: *lua.State) void {
    switch (lua.typeAt(L, 1)) {
        .none, .nil, .string, .number => {},
        else => _ = checkHandle(L),
    }
}

/// Tells the standard input, from which nothing can be read, and cannot be given another.
fn ioInput(L: *lua.State) callconv(.c) c_int {
    checkNameOrHandle(L);
    const is_stdin = lua.lua_rawequal(L, 1, lua.upvalueIndex(1)) != 0;
    if (lua.lua_type(L, 1) > 0 and !is_stdin) {
        _ = lua.luaL_error(L, refusal, "io.input");
    }
    lua.lua_pushvalue(L, lua.upvalueIndex(1));
    return 1;
}

fn ioOutput(L: *lua.State) callconv(.c) c_int {
    checkNameOrHandle(L);
    const is_stdout = lua.lua_rawequal(L, 1, lua.upvalueIndex(1)) != 0;
    if (lua.lua_type(L, 1) > 0 and !is_stdout) {
        _ = lua.luaL_error(L, "io.output cannot be changed: output always goes to the workbench");
    }
    lua.lua_pushvalue(L, lua.upvalueIndex(1));
    return 1;
}

fn ioType(L: *lua.State) callconv(.c) c_int {
    if (lua.typeAt(L, 1) == .none) return lua.luaL_argerror(L, 1, "value expected");
    if (lua.luaL_testudata(L, 1, handle_type) != null) {
        _ = lua.lua_pushstring(L, "file");
    } else {
        lua.lua_pushnil(L);
    }
    return 1;
}

fn handleWrite(L: *lua.State) callconv(.c) c_int {
    switch (checkHandle(L).kind) {
        .stdout => writeArguments(L, .stdout, 2),
        .stderr => writeArguments(L, .stderr, 2),
        .stdin => return lua.luaL_error(L, "standard input cannot be written to"),
    }
    lua.lua_settop(L, 1);
    return 1;
}

fn handleFlush(L: *lua.State) callconv(.c) c_int {
    _ = checkHandle(L);
    output.flush();
    lua.lua_settop(L, 1);
    return 1;
}

fn handleTrue(L: *lua.State) callconv(.c) c_int {
    _ = checkHandle(L);
    lua.lua_pushboolean(L, 1);
    return 1;
}

fn handleStay(L: *lua.State) callconv(.c) c_int {
    _ = checkHandle(L);
    return 0;
}

fn handleToString(L: *lua.State) callconv(.c) c_int {
    _ = lua.lua_pushstring(L, switch (checkHandle(L).kind) {
        .stdin => "file (stdin)",
        .stdout => "file (stdout)",
        .stderr => "file (stderr)",
    });
    return 1;
}
