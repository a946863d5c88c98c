//! The libraries: the stock ones, with what needs a machine around it refused clearly or replaced.

const std = @import("std");
const lua = @import("lua.zig");
const host = @import("host.zig");
const output = @import("output.zig");
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
    dropNativeSearchers(L);
    // Anchored, so that raising it never allocates.
    _ = lua.lua_pushstring(L, c.interrupted_message);
    lua.lua_setfield(L, lua.registry_index, "lua-persist.interrupted");
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

fn refused(L: *lua.State) callconv(.c) c_int {
    const name = lua.lua_tolstring(L, lua.upvalueIndex(1), null).?;
    return lua.luaL_error(
        L,
        "%s is not available: the program runs in a sandbox without files and processes",
        name,
    );
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

/// package.searchers keeps the preload table and the Lua files of the workspace.
fn dropNativeSearchers(L: *lua.State) void {
    _ = lua.lua_rawgeti(L, lua.registry_index, lua.ridx_globals);
    _ = lua.lua_getfield(L, -1, "package");
    _ = lua.lua_getfield(L, -1, "searchers");
    for ([_]lua.Integer{ 4, 3 }) |index| {
        lua.lua_pushnil(L);
        lua.lua_rawseti(L, -2, index);
    }
    lua.pop(L, 3);
}

/// The type name of the stock file handles.
const handle_type = "FILE*";

const Handle = extern struct { stream: protocol.Stream };

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
    lua.pop(L, 1);

    lua.lua_createtable(L, 0, 16);
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
    inline for (.{ "close", "input", "lines", "open", "popen", "read", "tmpfile" }) |name| {
        _ = lua.lua_pushstring(L, "io." ++ name);
        lua.lua_pushcclosure(L, refused, 1);
        lua.lua_setfield(L, -2, name);
    }
    return 1;
}

fn setFunction(L: *lua.State, name: [*:0]const u8, function: lua.CFunction) void {
    lua.pushFunction(L, function);
    lua.lua_setfield(L, -2, name);
}

fn pushHandle(L: *lua.State, stream: protocol.Stream) void {
    const handle: *Handle = @ptrCast(lua.lua_newuserdatauv(L, @sizeOf(Handle), 0).?);
    handle.* = .{ .stream = stream };
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

fn ioOutput(L: *lua.State) callconv(.c) c_int {
    if (lua.typeAt(L, 1) != .none) {
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
    const handle = checkHandle(L);
    writeArguments(L, handle.stream, 2);
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

fn handleToString(L: *lua.State) callconv(.c) c_int {
    const handle = checkHandle(L);
    _ = lua.lua_pushstring(L, if (handle.stream == .stdout) "file (stdout)" else "file (stderr)");
    return 1;
}
