//! The part of the C library that Lua needs and that neither Zig's compiler_rt nor the musl files
//! named in build.py bring along. All in the "C" locale.

const std = @import("std");

comptime {
    _ = @import("files.zig");
}

// ---- <string.h>

export fn memchr(bytes: [*]const u8, byte: c_int, length: usize) ?[*]const u8 {
    const at = std.mem.indexOfScalar(u8, bytes[0..length], @truncate(@as(c_uint, @bitCast(byte)))) orelse
        return null;
    return bytes + at;
}

export fn strchr(text: [*:0]const u8, byte: c_int) ?[*:0]const u8 {
    const wanted: u8 = @truncate(@as(c_uint, @bitCast(byte)));
    var rest = text;
    while (true) : (rest += 1) {
        if (rest[0] == wanted) return rest;
        if (rest[0] == 0) return null;
    }
}

export fn strcmp(a: [*:0]const u8, b: [*:0]const u8) c_int {
    var index: usize = 0;
    while (a[index] == b[index]) : (index += 1) {
        if (a[index] == 0) return 0;
    }
    return if (a[index] < b[index]) -1 else 1;
}

export fn strcoll(a: [*:0]const u8, b: [*:0]const u8) c_int {
    return strcmp(a, b);
}

export fn strncmp(a: [*]const u8, b: [*]const u8, length: usize) c_int {
    for (0..length) |index| {
        if (a[index] != b[index]) return if (a[index] < b[index]) -1 else 1;
        if (a[index] == 0) return 0;
    }
    return 0;
}

export fn strcpy(target: [*]u8, source: [*:0]const u8) [*]u8 {
    var index: usize = 0;
    while (true) : (index += 1) {
        target[index] = source[index];
        if (source[index] == 0) return target;
    }
}

export fn strnlen(text: [*]const u8, length_max: usize) usize {
    return std.mem.indexOfScalar(u8, text[0..length_max], 0) orelse length_max;
}

export fn strpbrk(text: [*:0]const u8, accepted: [*:0]const u8) ?[*:0]const u8 {
    const rest = text + strcspn(text, accepted);
    return if (rest[0] == 0) null else rest;
}

export fn strcspn(text: [*:0]const u8, rejected: [*:0]const u8) usize {
    var index: usize = 0;
    while (text[index] != 0) : (index += 1) {
        if (strchr(rejected, text[index]) != null) break;
    }
    return index;
}

export fn strspn(text: [*:0]const u8, accepted: [*:0]const u8) usize {
    var index: usize = 0;
    while (text[index] != 0) : (index += 1) {
        if (strchr(accepted, text[index]) == null) break;
    }
    return index;
}

export fn strstr(text: [*:0]const u8, wanted: [*:0]const u8) ?[*]const u8 {
    const at = std.mem.indexOf(u8, std.mem.span(text), std.mem.span(wanted)) orelse return null;
    return text + at;
}

export fn strerror(_: c_int) [*:0]const u8 {
    return "No such file or directory";
}

// ---- <ctype.h>

fn char(value: c_int) ?u8 {
    return if (value >= 0 and value < 128) @intCast(value) else null;
}

export fn isalpha(value: c_int) c_int {
    return @intFromBool(std.ascii.isAlphabetic(char(value) orelse return 0));
}

export fn isdigit(value: c_int) c_int {
    return @intFromBool(std.ascii.isDigit(char(value) orelse return 0));
}

export fn isalnum(value: c_int) c_int {
    return @intFromBool(std.ascii.isAlphanumeric(char(value) orelse return 0));
}

export fn islower(value: c_int) c_int {
    return @intFromBool(std.ascii.isLower(char(value) orelse return 0));
}

export fn isupper(value: c_int) c_int {
    return @intFromBool(std.ascii.isUpper(char(value) orelse return 0));
}

export fn isspace(value: c_int) c_int {
    return @intFromBool(std.ascii.isWhitespace(char(value) orelse return 0));
}

export fn iscntrl(value: c_int) c_int {
    return @intFromBool(std.ascii.isControl(char(value) orelse return 0));
}

export fn isxdigit(value: c_int) c_int {
    return @intFromBool(std.ascii.isHex(char(value) orelse return 0));
}

export fn isgraph(value: c_int) c_int {
    const byte = char(value) orelse return 0;
    return @intFromBool(byte > ' ' and byte < 127);
}

export fn ispunct(value: c_int) c_int {
    return @intFromBool(isgraph(value) != 0 and isalnum(value) == 0);
}

export fn isprint(value: c_int) c_int {
    return @intFromBool(isgraph(value) != 0 or value == ' ');
}

export fn tolower(value: c_int) c_int {
    return if (isupper(value) != 0) value + 32 else value;
}

export fn toupper(value: c_int) c_int {
    return if (islower(value) != 0) value - 32 else value;
}

// ---- <math.h>

export fn acos(x: f64) f64 {
    return std.math.acos(x);
}

export fn asin(x: f64) f64 {
    return std.math.asin(x);
}

export fn atan(x: f64) f64 {
    return std.math.atan(x);
}

export fn cosh(x: f64) f64 {
    return std.math.cosh(x);
}

export fn tanh(x: f64) f64 {
    return std.math.tanh(x);
}

/// compiler_rt loses digits of the logarithms of subnormal numbers; lmathlib.c is compiled with these.
export fn core_log2(x: f64) f64 {
    return if (isSubnormal(x)) @log2(x * 0x1p54) - 54 else @log2(x);
}

export fn core_log10(x: f64) f64 {
    return if (isSubnormal(x)) @log10(x * 0x1p54) - 54 * @as(f64, 0.30102999566398119521) else @log10(x);
}

fn isSubnormal(x: f64) bool {
    return x > 0 and x < std.math.floatMin(f64);
}

export fn frexp(x: f64, exponent: *c_int) f64 {
    if (x == 0 or !std.math.isFinite(x)) {
        exponent.* = 0;
        return x;
    }
    const parts = std.math.frexp(x);
    exponent.* = parts.exponent;
    return parts.significand;
}

export fn frexpl(x: f64, exponent: *c_int) f64 {
    return frexp(x, exponent);
}

export fn copysignl(x: f64, sign: f64) f64 {
    return std.math.copysign(x, sign);
}

export fn scalbnl(x: f64, exponent: c_int) f64 {
    return scalbn(x, exponent);
}

export fn core_fabsl(x: f64) f64 {
    return @abs(x);
}

export fn core_fmodl(x: f64, y: f64) f64 {
    return @rem(x, y);
}

extern fn scalbn(f64, c_int) f64;

export fn ldexp(x: f64, exponent: c_int) f64 {
    return scalbn(x, exponent);
}

// ---- <stdlib.h>, <locale.h>, <errno.h>, <signal.h>

export fn abort() noreturn {
    @trap();
}

export fn exit(_: c_int) noreturn {
    @trap();
}

export fn abs(value: c_int) c_int {
    return @intCast(@abs(value));
}

export fn getenv(_: [*:0]const u8) ?[*:0]const u8 {
    return null;
}

export fn system(_: ?[*:0]const u8) c_int {
    return 0;
}

export fn remove(_: [*:0]const u8) c_int {
    return -1;
}

export fn rename(_: [*:0]const u8, _: [*:0]const u8) c_int {
    return -1;
}

export fn tmpnam(_: ?[*]u8) ?[*]u8 {
    return null;
}

var error_number: c_int = 0;

export fn __errno_location() *c_int {
    return &error_number;
}

/// What musl's own files call it.
export fn ___errno_location() *c_int {
    return &error_number;
}

/// The fields of `struct lconv` up to the one that is read.
const LocaleConventions = extern struct { decimal_point: [*:0]const u8 };
var conventions: LocaleConventions = .{ .decimal_point = "." };

export fn localeconv() *LocaleConventions {
    return &conventions;
}

export fn setlocale(_: c_int, name: ?[*:0]const u8) ?[*:0]const u8 {
    const wanted = std.mem.span(name orelse return "C");
    if (wanted.len == 0 or std.mem.eql(u8, wanted, "C") or std.mem.eql(u8, wanted, "POSIX")) return "C";
    return null;
}

// ---- what musl's printf and strtod want of musl's stdio

export fn __lockfile(_: ?*anyopaque) c_int {
    return 0;
}

export fn __unlockfile(_: ?*anyopaque) void {}

export fn __uflow(_: ?*anyopaque) c_int {
    return -1;
}

export fn wctomb(_: ?[*]u8, _: c_int) c_int {
    return -1;
}

// ---- numbers as text

/// Writes decimal digits, without a final NUL; returns how many bytes. The buffer has room for 21.
export fn core_format_integer(target: [*]u8, value: i64) c_int {
    var digits: [20]u8 = undefined;
    var position: usize = digits.len;
    var rest: u64 = @abs(value);
    while (rest >= 100) {
        const pair = std.fmt.digits2(@intCast(rest % 100));
        rest /= 100;
        position -= 2;
        digits[position..][0..2].* = pair;
    }
    if (rest >= 10) {
        position -= 2;
        digits[position..][0..2].* = std.fmt.digits2(@intCast(rest));
    } else {
        position -= 1;
        digits[position] = '0' + @as(u8, @intCast(rest));
    }
    if (value < 0) {
        position -= 1;
        digits[position] = '-';
    }
    const text = digits[position..];
    @memcpy(target[0..text.len], text);
    target[text.len] = 0;
    return @intCast(text.len);
}
