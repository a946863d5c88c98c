//! Which external tables and persisted functions are alive in the VM: what the store must keep though
//! no root may reach it any more.

const lua = @import("lua.zig");
const external = @import("external.zig");
const Request = @import("storecall.zig").Request;
const Registry = external.Registry;

/// u32 count, ids. `writer` has a method `int(T, value)`. Stack: unchanged.
pub fn write(L: *lua.State, writer: anytype) void {
    const places = [_]lua.Integer{ Registry.by_id, Registry.functions, Registry.cells };
    var total: u32 = 0;
    for (places) |place| total += count(L, place);
    writer.int(u32, total);
    for (places) |place| writeIds(L, writer, place);
}

fn count(L: *lua.State, place: lua.Integer) u32 {
    const top = lua.lua_gettop(L);
    var number: u32 = 0;
    external.push(L, place);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 1) != 0) : (lua.pop(L, 1)) number += 1;
    lua.lua_settop(L, top);
    return number;
}

fn writeIds(L: *lua.State, writer: anytype, place: lua.Integer) void {
    const top = lua.lua_gettop(L);
    external.push(L, place);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, top + 1) != 0) : (lua.pop(L, 1)) {
        writer.int(i64, lua.lua_tointegerx(L, top + 2, null));
    }
    lua.lua_settop(L, top);
}
