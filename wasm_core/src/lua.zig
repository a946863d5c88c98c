//! The part of Lua's public C API that the core uses, declared by hand: translating the headers
//! would cost the build a minute. Names are Lua's own without the prefix where it is plain.

pub const State = opaque {};
pub const Integer = i64;
pub const Number = f64;
pub const KContext = isize;
pub const CFunction = *const fn (*State) callconv(.c) c_int;
pub const KFunction = *const fn (*State, c_int, KContext) callconv(.c) c_int;
pub const Reader = *const fn (*State, ?*anyopaque, *usize) callconv(.c) ?[*]const u8;
pub const Writer = *const fn (*State, [*]const u8, usize, ?*anyopaque) callconv(.c) c_int;
pub const Alloc = *const fn (?*anyopaque, ?[*]u8, usize, usize) callconv(.c) ?[*]u8;
pub const WarnFunction = *const fn (?*anyopaque, [*:0]const u8, c_int) callconv(.c) void;

pub const multret: c_int = -1;
pub const yield_status: c_int = 1;
pub const registry_index: c_int = -1000000 - 1000;

pub const ok: c_int = 0;
pub const err_run: c_int = 2;
pub const err_syntax: c_int = 3;
pub const err_mem: c_int = 4;
pub const err_err: c_int = 5;

pub const Type = enum(c_int) {
    none = -1,
    nil = 0,
    boolean = 1,
    light_userdata = 2,
    number = 3,
    string = 4,
    table = 5,
    function = 6,
    userdata = 7,
    thread = 8,
};

pub const ridx_globals: Integer = 2;

/// What the collector is asked to do by `lua_gc`.
pub const gc_collect: c_int = 2;
pub const gc_count: c_int = 3;
pub const gc_count_bytes: c_int = 4;

pub const id_size = 60;

/// `lua_Debug`; the core only reads what `lua_getinfo` filled in.
pub const Debug = extern struct {
    event: c_int,
    name: ?[*:0]const u8,
    name_what: [*:0]const u8,
    what: [*:0]const u8,
    source: [*]const u8,
    source_len: usize,
    current_line: c_int,
    line_defined: c_int,
    last_line_defined: c_int,
    upvalue_count: u8,
    parameter_count: u8,
    is_vararg: u8,
    is_tail_call: u8,
    first_transferred: c_ushort,
    transferred_count: c_ushort,
    short_source: [id_size]u8,
    call_info: ?*anyopaque,

    pub fn sourceName(self: *const Debug) []const u8 {
        return self.source[0..self.source_len];
    }
};

comptime {
    // event .. srclen: 6 words; three lines: 3 words; four bytes and two shorts: 2 words.
    if (@offsetOf(Debug, "short_source") != 44) @compileError("lua_Debug differs from lua.h");
}

pub extern fn lua_newstate(Alloc, ?*anyopaque) ?*State;
pub extern fn lua_close(*State) void;
pub extern fn lua_atpanic(*State, ?CFunction) ?CFunction;
pub extern fn lua_gettop(*State) c_int;
pub extern fn lua_settop(*State, c_int) void;
pub extern fn lua_absindex(*State, c_int) c_int;
pub extern fn lua_rotate(*State, c_int, c_int) void;
pub extern fn lua_copy(*State, c_int, c_int) void;
pub extern fn lua_checkstack(*State, c_int) c_int;
pub extern fn lua_type(*State, c_int) c_int;
pub extern fn lua_typename(*State, c_int) [*:0]const u8;
pub extern fn lua_isinteger(*State, c_int) c_int;
pub extern fn lua_iscfunction(*State, c_int) c_int;
pub extern fn lua_toboolean(*State, c_int) c_int;
pub extern fn lua_tointegerx(*State, c_int, ?*c_int) Integer;
pub extern fn lua_tonumberx(*State, c_int, ?*c_int) Number;
pub extern fn lua_tolstring(*State, c_int, ?*usize) ?[*]const u8;
pub extern fn lua_rawlen(*State, c_int) u64;
pub extern fn lua_rawequal(*State, c_int, c_int) c_int;
pub extern fn lua_topointer(*State, c_int) ?*const anyopaque;
pub extern fn lua_touserdata(*State, c_int) ?*anyopaque;
pub extern fn lua_next(*State, c_int) c_int;
pub extern fn lua_rawget(*State, c_int) c_int;
pub extern fn lua_rawgeti(*State, c_int, Integer) c_int;
pub extern fn lua_rawgetp(*State, c_int, *const anyopaque) c_int;
pub extern fn lua_rawsetp(*State, c_int, *const anyopaque) void;
pub extern fn lua_gettable(*State, c_int) c_int;
pub extern fn lua_getlocal(*State, ?*Debug, c_int) ?[*:0]const u8;
pub extern fn lua_dump(*State, Writer, ?*anyopaque, c_int) c_int;
pub extern fn lua_getupvalue(*State, c_int, c_int) ?[*:0]const u8;
pub extern fn lua_settable(*State, c_int) void;
pub extern fn lua_rawset(*State, c_int) void;
pub extern fn lua_rawseti(*State, c_int, Integer) void;
pub extern fn lua_getfield(*State, c_int, [*:0]const u8) c_int;
pub extern fn lua_setfield(*State, c_int, [*:0]const u8) void;
pub extern fn lua_setglobal(*State, [*:0]const u8) void;
pub extern fn lua_getmetatable(*State, c_int) c_int;
pub extern fn lua_setmetatable(*State, c_int) c_int;
pub extern fn lua_createtable(*State, c_int, c_int) void;
pub extern fn lua_newuserdatauv(*State, usize, c_int) ?*anyopaque;
pub extern fn lua_pushnil(*State) void;
pub extern fn lua_pushboolean(*State, c_int) void;
pub extern fn lua_pushinteger(*State, Integer) void;
pub extern fn lua_pushnumber(*State, Number) void;
pub extern fn lua_pushlstring(*State, [*]const u8, usize) ?[*]const u8;
pub extern fn lua_pushstring(*State, ?[*:0]const u8) ?[*]const u8;
pub extern fn lua_pushfstring(*State, [*:0]const u8, ...) ?[*]const u8;
pub extern fn lua_pushvalue(*State, c_int) void;
pub extern fn lua_pushcclosure(*State, CFunction, c_int) void;
pub extern fn lua_pushlightuserdata(*State, ?*anyopaque) void;
pub extern fn lua_load(*State, Reader, ?*anyopaque, [*:0]const u8, ?[*:0]const u8) c_int;
pub extern fn lua_callk(*State, c_int, c_int, KContext, ?KFunction) void;
pub extern fn lua_pcallk(*State, c_int, c_int, c_int, KContext, ?KFunction) c_int;
pub extern fn lua_arith(*State, c_int) void;
pub extern fn lua_compare(*State, c_int, c_int, c_int) c_int;
pub extern fn lua_concat(*State, c_int) void;
pub extern fn lua_error(*State) c_int;
pub extern fn lua_gc(*State, c_int, ...) c_int;
pub extern fn lua_setwarnf(*State, ?WarnFunction, ?*anyopaque) void;
pub extern fn lua_getstack(*State, c_int, *Debug) c_int;
pub extern fn lua_getinfo(*State, [*:0]const u8, *Debug) c_int;

pub extern fn luaL_requiref(*State, [*:0]const u8, CFunction, c_int) void;
pub extern fn luaL_error(*State, [*:0]const u8, ...) c_int;
pub extern fn luaL_where(*State, c_int) void;
pub extern fn luaL_argerror(*State, c_int, [*:0]const u8) c_int;
pub extern fn luaL_tolstring(*State, c_int, ?*usize) [*]const u8;
pub extern fn luaL_checklstring(*State, c_int, ?*usize) [*]const u8;
pub extern fn luaL_callmeta(*State, c_int, [*:0]const u8) c_int;
pub extern fn luaL_getmetafield(*State, c_int, [*:0]const u8) c_int;
pub extern fn luaL_newmetatable(*State, [*:0]const u8) c_int;
pub extern fn luaL_setmetatable(*State, [*:0]const u8) void;
pub extern fn luaL_testudata(*State, c_int, [*:0]const u8) ?*anyopaque;
pub extern fn luaL_checkudata(*State, c_int, [*:0]const u8) ?*anyopaque;

pub extern fn luaopen_base(*State) c_int;
pub extern fn luaopen_package(*State) c_int;
pub extern fn luaopen_coroutine(*State) c_int;
pub extern fn luaopen_table(*State) c_int;
pub extern fn luaopen_os(*State) c_int;
pub extern fn luaopen_string(*State) c_int;
pub extern fn luaopen_utf8(*State) c_int;
pub extern fn luaopen_math(*State) c_int;
pub extern fn luaopen_debug(*State) c_int;

extern fn core_check_stack(*State, c_int) void;

/// As the stock function without a message, except that where memory is short, the error says so.
pub fn luaL_checkstack(L: *State, count: c_int, _: ?[*:0]const u8) void {
    core_check_stack(L, count);
}

/// Removes the value at `index`, shifting down what is above it.
pub fn remove(L: *State, index: c_int) void {
    lua_rotate(L, index, -1);
    pop(L, 1);
}

/// Moves the value at the top to `index`, shifting up what is there.
pub fn insert(L: *State, index: c_int) void {
    lua_rotate(L, index, 1);
}

/// Removes `count` values from the top.
pub fn pop(L: *State, count: c_int) void {
    lua_settop(L, -count - 1);
}

pub fn pushString(L: *State, text: []const u8) void {
    _ = lua_pushlstring(L, text.ptr, text.len);
}

pub fn pushFunction(L: *State, function: CFunction) void {
    lua_pushcclosure(L, function, 0);
}

pub fn typeAt(L: *State, index: c_int) Type {
    return @fromBackingInt(@intCast(lua_type(L, index)));
}

/// The bytes of the string at `index`, which must be a string (a number would be converted).
pub fn stringAt(L: *State, index: c_int) []const u8 {
    var length: usize = 0;
    const bytes = lua_tolstring(L, index, &length) orelse unreachable;
    return bytes[0..length];
}

/// The index of upvalue `number` of the running C function.
pub fn upvalueIndex(number: c_int) c_int {
    return registry_index - number;
}
