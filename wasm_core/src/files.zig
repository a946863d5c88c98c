//! Files as the stock sources read them (luaL_loadfilex, package.searchpath): the host finds them, in
//! the folders of the workspace, and hands out their content. Nothing can be written.
//!
//! Only these functions of <stdio.h> are there; what would need more is refused by the libraries.

const host = @import("core").host;

const File = struct {
    handle: u32,
    /// Position in the file of the first byte of the buffer.
    offset: u32,
    start: u32,
    end: u32,
    at_end: bool,
    is_open: bool,
    buffer: [4096]u8,

    fn refill(self: *File) void {
        self.offset += self.end;
        self.start = 0;
        self.end = host.fill(.read, self.handle, &self.buffer, self.offset);
        if (self.end == 0) self.at_end = true;
    }
};

/// In c/code.c: the text that is being compiled.
extern var core_source_serial: u32;

/// A file is open while it is compiled, and compiling opens no other; two leave room for a caller.
var files: [2]File = undefined;

/// There is no standard input: reading from it finds its end.
export const stdin: ?*File = null;

export fn fopen(name: [*:0]const u8, mode: [*:0]const u8) ?*File {
    const std = @import("std");
    if (mode[0] != 'r') return null;
    for (&files) |*file| {
        if (file.is_open) continue;
        const handle = host.send(.open, std.mem.span(name));
        if (handle < 0) return null;
        file.handle = @intCast(handle);
        file.offset = 0;
        file.start = 0;
        file.end = 0;
        file.at_end = false;
        file.is_open = true;
        core_source_serial = host.sourceOf(file.handle);
        return file;
    }
    return null;
}

/// Called by luaL_loadfilex to read a binary chunk from its start again.
export fn freopen(_: ?[*:0]const u8, _: [*:0]const u8, file: ?*File) ?*File {
    const open = file orelse return null;
    open.offset = 0;
    open.start = 0;
    open.end = 0;
    open.at_end = false;
    return open;
}

export fn fclose(file: ?*File) c_int {
    const open = file orelse return 0;
    host.close(open.handle);
    open.is_open = false;
    core_source_serial = 0;
    return 0;
}

export fn getc(file: ?*File) c_int {
    const open = file orelse return -1;
    if (open.start == open.end) open.refill();
    if (open.at_end) return -1;
    defer open.start += 1;
    return open.buffer[open.start];
}

export fn fread(target: [*]u8, size: usize, count: usize, file: ?*File) usize {
    const open = file orelse return 0;
    if (open.start == open.end) open.refill();
    const length = @min(size * count, open.end - open.start);
    @memcpy(target[0..length], open.buffer[open.start..][0..length]);
    open.start += @intCast(length);
    return length / size;
}

export fn feof(file: ?*File) c_int {
    const open = file orelse return 1;
    return @intFromBool(open.at_end);
}

export fn ferror(_: ?*File) c_int {
    return 0;
}

/// Only debug.debug reads lines, and finds no input.
export fn fgets(_: [*]u8, _: c_int, _: ?*File) ?[*]u8 {
    return null;
}
