//! Looks at values without running Lua code: scalars whole, everything else as a bounded preview.

const std = @import("std");
const lua = @import("lua.zig");
const critical = @import("critical.zig");
const external = @import("external.zig");
const load = @import("load.zig");
const protocol = @import("protocol.zig");
const wire = @import("wire.zig");

/// How much of a value is shown. The host sends these with each request that shows values.
pub const Limits = extern struct {
    depth: u32,
    entries: u32,
    nodes: u32,
    string_bytes: u32,
};

pub const Preview = struct {
    L: *lua.State,
    writer: *wire.Writer,
    limits: Limits,
    nodes_left: u32,
    /// Addresses of the tables that are open, outermost first.
    open: [depth_max]usize = undefined,
    open_count: u32 = 0,

    const depth_max = 32;

    pub fn init(L: *lua.State, writer: *wire.Writer, limits: Limits) Preview {
        var bounded = limits;
        bounded.depth = @min(limits.depth, depth_max);
        return .{ .L = L, .writer = writer, .limits = bounded, .nodes_left = limits.nodes };
    }

    /// Writes the value at `index`; strings at the top are written whole. Stack: unchanged.
    pub fn value(self: *Preview, index: c_int) void {
        self.write(lua.lua_absindex(self.L, index), std.math.maxInt(u32));
    }

    fn write(self: *Preview, index: c_int, string_bytes: u32) void {
        const L = self.L;
        switch (lua.typeAt(L, index)) {
            .none, .nil => self.writer.nil(),
            .boolean => self.writer.boolean(lua.lua_toboolean(L, index) != 0),
            .number => if (lua.lua_isinteger(L, index) != 0) {
                self.writer.integer(lua.lua_tointegerx(L, index, null));
            } else {
                self.writer.float(lua.lua_tonumberx(L, index, null));
            },
            .string => self.string(lua.stringAt(L, index), string_bytes),
            .table => self.table(index),
            .function => self.function(index),
            .userdata, .light_userdata => {
                self.writer.tag(.userdata_preview);
                self.address(index);
                self.typeName(index);
            },
            .thread => {
                self.writer.tag(.thread_preview);
                self.address(index);
                self.writer.text("thread");
            },
        }
    }

    fn string(self: *Preview, bytes: []const u8, string_bytes: u32) void {
        if (bytes.len <= string_bytes) return self.writer.string(bytes);
        self.writer.tag(.string_preview);
        self.writer.int(u64, bytes.len);
        self.writer.text(bytes[0..string_bytes]);
    }

    fn address(self: *Preview, index: c_int) void {
        self.writer.int(u32, @intCast(@intFromPtr(lua.lua_topointer(self.L, index))));
    }

    /// The metatable's `__name`, or nothing. Stack: unchanged.
    fn typeName(self: *Preview, index: c_int) void {
        const L = self.L;
        if (lua.lua_checkstack(L, 3) == 0 or lua.lua_getmetatable(L, index) == 0) {
            return self.writer.text("");
        }
        // (The hidden metatable of an external table has the `__name` of the one that the program set.)
        _ = lua.lua_pushstring(L, "__name");
        _ = lua.lua_rawget(L, -2);
        if (lua.typeAt(L, -1) == .string) {
            const name = lua.stringAt(L, -1);
            self.writer.text(name[0..@min(name.len, 200)]);
        } else {
            self.writer.text("");
        }
        lua.pop(L, 2);
    }

    fn function(self: *Preview, index: c_int) void {
        const L = self.L;
        self.writer.tag(.function_preview);
        self.address(index);
        var ar: lua.Debug = undefined;
        if (lua.lua_checkstack(L, 1) == 0) return self.writer.text("");
        lua.lua_pushvalue(L, index);
        _ = lua.lua_getinfo(L, ">S", &ar);
        if (ar.what[0] == 'C') return self.writer.text("");
        var buffer: [300]u8 = undefined;
        const source = ar.sourceName();
        const named = source.len > 0 and (source[0] == '@' or source[0] == '=');
        const name = if (named) source[1..] else "(string)";
        const text = std.fmt.bufPrint(&buffer, "{s}:{d}", .{
            name[0..@min(name.len, 250)], @max(ar.line_defined, 0),
        }) catch unreachable;
        self.writer.text(text);
    }

    fn table(self: *Preview, index: c_int) void {
        const L = self.L;
        self.writer.tag(.table_preview);
        self.address(index);
        const identity = @intFromPtr(lua.lua_topointer(L, index));
        const cycle = std.mem.indexOfScalar(usize, self.open[0..self.open_count], identity) != null;
        const closed = self.open_count >= self.limits.depth or self.nodes_left == 0 or
            lua.lua_checkstack(L, 160) == 0;
        if (cycle or closed) {
            const is_empty = !cycle and !self.hasEntries(index);
            self.writer.int(u8, if (cycle)
                protocol.preview_flag_cycle
            else if (is_empty) 0 else protocol.preview_flag_unopened);
            self.typeName(index);
            self.writer.int(u32, 0);
            return;
        }
        self.open[self.open_count] = identity;
        self.open_count += 1;
        if (external.is(L, index)) {
            external.pushMeta(L, index);
            const m = lua.lua_gettop(L);
            critical.enter(L);
            load.visit(L, index, m);
            critical.leave(L);
            external.pushSlot(L, m, .cache);
            self.entries(index, m + 1, !external.flagsOf(L, m).complete);
            lua.lua_settop(L, m - 1);
        } else {
            self.entries(index, index, false);
        }
        self.open_count -= 1;
    }

    /// Flags, type name and entries of the value at `index`, whose entries the table at `source` has,
    /// or some of them. Stack: unchanged.
    fn entries(self: *Preview, index: c_int, source: c_int, is_part: bool) void {
        const L = self.L;
        const entries_max = @min(self.limits.entries, self.nodes_left);
        var count: u32 = 0;
        var omitted = is_part;
        lua.lua_pushnil(L);
        while (lua.lua_next(L, source) != 0) {
            lua.pop(L, 1);
            if (count == entries_max) {
                omitted = true;
                lua.pop(L, 1);
                break;
            }
            count += 1;
        }
        self.writer.int(u8, if (omitted) protocol.preview_flag_omitted else 0);
        self.typeName(index);
        self.writer.int(u32, count);
        self.nodes_left -= count;
        lua.lua_pushnil(L);
        for (0..count) |_| {
            if (lua.lua_next(L, source) == 0) unreachable;
            const top = lua.lua_gettop(L);
            self.write(top - 1, self.limits.string_bytes);
            self.write(top, self.limits.string_bytes);
            lua.pop(L, 1);
        }
        lua.pop(L, 1);
    }

    fn hasEntries(self: *Preview, index: c_int) bool {
        if (lua.lua_checkstack(self.L, 2) == 0 or external.is(self.L, index)) return true;
        lua.lua_pushnil(self.L);
        if (lua.lua_next(self.L, index) == 0) return false;
        lua.pop(self.L, 2);
        return true;
    }
};
