//! Paths for messages, such as `Memory.users[3].name`, in a buffer of fixed size.

const std = @import("std");
const lua = @import("lua.zig");
const external = @import("external.zig");

pub const steps_max = 24;

/// How something was found in what holds it.
pub const Label = enum(u8) { key, table_key, upvalue, metatable };

pub const Path = struct {
    bytes: [512]u8 = undefined,
    length: usize = 0,

    const room = 500;

    pub noinline fn add(self: *Path, text: []const u8) void {
        const count = @min(text.len, room - self.length);
        @memcpy(self.bytes[self.length..][0..count], text[0..count]);
        self.length += count;
        if (count < text.len) @memcpy(self.bytes[self.length..][0..3], "...");
    }

    /// Makes the bytes a C string.
    pub fn end(self: *Path) void {
        for (self.bytes[0..self.length]) |*byte| {
            if (byte.* < ' ') byte.* = '?';
        }
        const length = if (self.length == room) room + 3 else self.length;
        self.bytes[length] = 0;
    }

    pub fn gap(self: *Path) void {
        self.add("...");
    }

    /// The name of the external table at `index`, by the places where it was first found.
    pub noinline fn table(self: *Path, L: *lua.State, index: c_int) void {
        const top = lua.lua_gettop(L);
        lua.luaL_checkstack(L, steps_max + 8, null);
        var keys: [steps_max]c_int = undefined;
        var count: usize = 0;
        lua.lua_pushvalue(L, index);
        while (true) {
            external.pushMeta(L, -1);
            external.pushSlot(L, -1, .key);
            lua.remove(L, -2);
            keys[count] = lua.lua_gettop(L);
            count += 1;
            external.pushMeta(L, -2);
            external.pushSlot(L, -1, .parent);
            lua.remove(L, -2);
            if (lua.typeAt(L, -1) != .table) break;
            if (count == keys.len - 1) {
                self.gap();
                break;
            }
        }
        count -= 1;
        if (lua.typeAt(L, keys[count]) == .string) {
            self.add(lua.stringAt(L, keys[count]));
        } else if (self.length == 0) {
            self.add("(table)");
        }
        while (count > 0) {
            count -= 1;
            self.label(L, keys[count], .key);
        }
        lua.lua_settop(L, top);
    }

    /// One step further.
    pub noinline fn label(self: *Path, L: *lua.State, index: c_int, kind: Label) void {
        switch (kind) {
            .key => self.key(L, index),
            .table_key => self.add(" (a key)"),
            .metatable => self.add(" (metatable)"),
            .upvalue => {
                self.add(" (upvalue ");
                self.add(lua.stringAt(L, index));
                self.add(")");
            },
        }
    }

    fn key(self: *Path, L: *lua.State, index: c_int) void {
        var buffer: [40]u8 = undefined;
        switch (lua.typeAt(L, index)) {
            .string => {
                const text = lua.stringAt(L, index);
                if (isName(text)) {
                    self.add(".");
                    self.add(text);
                } else {
                    self.add("[\"");
                    self.add(text[0..@min(text.len, 60)]);
                    self.add(if (text.len > 60) "...\"]" else "\"]");
                }
            },
            .number => if (lua.lua_isinteger(L, index) != 0) {
                self.add(std.fmt.bufPrint(&buffer, "[{d}]", .{lua.lua_tointegerx(L, index, null)}) catch unreachable);
            } else {
                lua.lua_pushvalue(L, index);
                self.add("[");
                self.add(lua.stringAt(L, -1));
                self.add("]");
                lua.pop(L, 1);
            },
            .boolean => self.add(if (lua.lua_toboolean(L, index) != 0) "[true]" else "[false]"),
            else => {
                self.add("[");
                self.add(std.mem.span(lua.lua_typename(L, lua.lua_type(L, index))));
                self.add("]");
            },
        }
    }
};

fn isName(text: []const u8) bool {
    if (text.len == 0 or std.ascii.isDigit(text[0])) return false;
    for (text) |byte| {
        if (!std.ascii.isAlphanumeric(byte) and byte != '_') return false;
    }
    return true;
}
