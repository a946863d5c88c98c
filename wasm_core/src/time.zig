//! Calendar time for os.date and os.time: musl's conversions between seconds and fields, local time
//! as the host tells it, and strftime in the "C" locale.

const std = @import("std");
const host = @import("host.zig");

// musl's <time.h> for 32-bit ARM gives the functions with 64-bit times these names.

/// `struct tm` of musl's <time.h>.
const Fields = extern struct {
    sec: c_int,
    min: c_int,
    hour: c_int,
    mday: c_int,
    mon: c_int,
    year: c_int,
    wday: c_int,
    yday: c_int,
    isdst: c_int,
    gmtoff: c_long,
    zone: ?[*:0]const u8,
};

extern fn __secs_to_tm(i64, *Fields) c_int;
extern fn __tm_to_secs(*const Fields) i64;

var static_fields: Fields = undefined;

fn offsetAt(utc: i64) i64 {
    const offset = host.seconds(.local_offset, @floatFromInt(utc));
    // A host that answers nonsense gets UTC.
    if (!(offset >= -86400 and offset <= 86400)) return 0;
    return @trunc(offset);
}

export fn __gmtime64(seconds: *const i64) ?*Fields {
    if (__secs_to_tm(seconds.*, &static_fields) < 0) return null;
    static_fields.isdst = 0;
    static_fields.gmtoff = 0;
    static_fields.zone = "UTC";
    return &static_fields;
}

export fn __localtime64(seconds: *const i64) ?*Fields {
    const offset = offsetAt(seconds.*);
    if (__secs_to_tm(seconds.* +| offset, &static_fields) < 0) return null;
    static_fields.isdst = @intFromBool(isDaylightSaving(seconds.*));
    static_fields.gmtoff = @intCast(offset);
    static_fields.zone = "";
    return &static_fields;
}

fn isDaylightSaving(utc: i64) bool {
    return host.seconds(.local_daylight_saving, @floatFromInt(utc)) == 1;
}

/// The time that these fields of local time mean. `isdst` chooses where the clocks were put back and an
/// hour came twice; where it contradicts the date, it moves the time by an hour, as C libraries do.
export fn __mktime64(fields: *Fields) i64 {
    const as_utc = __tm_to_secs(fields);
    const wanted = fields.isdst;
    const day = 86400;
    // The offsets before and after a change of the clocks near that time; mostly the same.
    const candidates = [_]i64{
        as_utc -| offsetAt(as_utc -| day),
        as_utc -| offsetAt(as_utc +| day),
    };
    var result: ?i64 = null;
    for (candidates) |candidate| {
        if (as_utc -| offsetAt(candidate) != candidate) continue;
        const matches = wanted < 0 or isDaylightSaving(candidate) == (wanted > 0);
        if (result == null or matches) result = candidate;
        if (matches) break;
    }
    // An hour that was left out is counted on from before the change.
    var time = result orelse candidates[0];
    if (wanted >= 0 and result != null and isDaylightSaving(time) != (wanted > 0)) {
        time = if (wanted > 0) time -| 3600 else time +| 3600;
    }
    const normal = __localtime64(&time) orelse return -1;
    fields.* = normal.*;
    return time;
}

export fn __difftime64(later: i64, earlier: i64) f64 {
    return @floatFromInt(later - earlier);
}

/// For the link only: os.clock is replaced (libs.zig).
export fn clock() c_long {
    return -1;
}

export fn __time64(result: ?*i64) i64 {
    const now: i64 = @trunc(host.seconds(.utc, 0));
    if (result) |target| target.* = now;
    return now;
}

const days = [_][]const u8{
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
};
const months = [_][]const u8{
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December",
};

const Text = struct {
    target: []u8,
    length: usize = 0,
    overflow: bool = false,

    fn add(self: *Text, text: []const u8) void {
        if (self.length + text.len >= self.target.len) {
            self.overflow = true;
            return;
        }
        @memcpy(self.target[self.length..][0..text.len], text);
        self.length += text.len;
    }

    fn number(self: *Text, value: i64, width: usize, fill: u8) void {
        var buffer: [24]u8 = undefined;
        const digits = std.fmt.bufPrint(&buffer, "{d}", .{@abs(value)}) catch unreachable;
        if (value < 0) self.add("-");
        for (digits.len..@max(width, digits.len)) |_| self.add(&.{fill});
        self.add(digits);
    }
};

/// The conversions of C99 (ISO/IEC 9899:1999, 7.23.3.5) in the "C" locale.
export fn strftime(target: [*]u8, size: usize, format: [*:0]const u8, fields: *const Fields) usize {
    var text: Text = .{ .target = target[0..size] };
    var position: usize = 0;
    while (format[position] != 0) : (position += 1) {
        if (format[position] != '%') {
            text.add(format[position..][0..1]);
            continue;
        }
        position += 1;
        if (format[position] == 'E' or format[position] == 'O') position += 1;
        if (format[position] == 0) break;
        convert(&text, format[position], fields);
    }
    if (text.overflow or size == 0) return 0;
    target[text.length] = 0;
    return text.length;
}

fn convert(text: *Text, conversion: u8, fields: *const Fields) void {
    const year = @as(i64, fields.year) + 1900;
    const hour12 = if (@mod(fields.hour, 12) == 0) 12 else @mod(fields.hour, 12);
    switch (conversion) {
        'a' => text.add(dayName(fields)[0..@min(3, dayName(fields).len)]),
        'A' => text.add(dayName(fields)),
        'b', 'h' => text.add(monthName(fields)[0..@min(3, monthName(fields).len)]),
        'B' => text.add(monthName(fields)),
        'c' => each(text, "a b e T Y", fields),
        'C' => text.number(@divFloor(year, 100), 2, '0'),
        'd' => text.number(fields.mday, 2, '0'),
        'D', 'x' => joined(text, "mdy", '/', fields),
        'e' => text.number(fields.mday, 2, ' '),
        'F' => joined(text, "Ymd", '-', fields),
        'g' => text.number(@mod(isoWeek(fields).year, 100), 2, '0'),
        'G' => text.number(isoWeek(fields).year, 4, '0'),
        'H' => text.number(fields.hour, 2, '0'),
        'I' => text.number(hour12, 2, '0'),
        'j' => text.number(fields.yday + 1, 3, '0'),
        'm' => text.number(fields.mon + 1, 2, '0'),
        'M' => text.number(fields.min, 2, '0'),
        'n' => text.add("\n"),
        'p' => text.add(if (fields.hour >= 12) "PM" else "AM"),
        'r' => {
            joined(text, "IMS", ':', fields);
            text.add(" ");
            convert(text, 'p', fields);
        },
        'R' => joined(text, "HM", ':', fields),
        'S' => text.number(fields.sec, 2, '0'),
        't' => text.add("\t"),
        'T', 'X' => joined(text, "HMS", ':', fields),
        'u' => text.number(if (fields.wday == 0) 7 else fields.wday, 1, '0'),
        'U' => text.number(@divFloor(fields.yday + 7 - fields.wday, 7), 2, '0'),
        'V' => text.number(isoWeek(fields).week, 2, '0'),
        'w' => text.number(fields.wday, 1, '0'),
        'W' => text.number(@divFloor(fields.yday + 7 - @mod(fields.wday + 6, 7), 7), 2, '0'),
        'y' => text.number(@mod(year, 100), 2, '0'),
        'Y' => text.number(year, 4, '0'),
        'z' => {
            const minutes = @divTrunc(fields.gmtoff, 60);
            text.add(if (minutes < 0) "-" else "+");
            const size: i64 = @intCast(@abs(minutes));
            text.number(@divTrunc(size, 60) * 100 + @mod(size, 60), 4, '0');
        },
        'Z' => if (fields.zone) |zone| text.add(std.mem.span(zone)),
        '%' => text.add("%"),
        else => {},
    }
}

fn each(text: *Text, comptime conversions: []const u8, fields: *const Fields) void {
    inline for (conversions) |conversion| {
        if (conversion == ' ') text.add(" ") else convert(text, conversion, fields);
    }
}

fn joined(text: *Text, comptime conversions: []const u8, separator: u8, fields: *const Fields) void {
    inline for (conversions, 0..) |conversion, index| {
        if (index > 0) text.add(&.{separator});
        convert(text, conversion, fields);
    }
}

fn dayName(fields: *const Fields) []const u8 {
    return if (fields.wday >= 0 and fields.wday < 7) days[@intCast(fields.wday)] else "?";
}

fn monthName(fields: *const Fields) []const u8 {
    return if (fields.mon >= 0 and fields.mon < 12) months[@intCast(fields.mon)] else "?";
}

const IsoWeek = struct { year: i64, week: i64 };

/// ISO 8601: weeks start on Monday; week 1 is the one with the year's first Thursday.
fn isoWeek(fields: *const Fields) IsoWeek {
    const year = @as(i64, fields.year) + 1900;
    const monday_based = @mod(fields.wday + 6, 7);
    const week = @divFloor(@as(i64, fields.yday) - monday_based + 10, 7);
    if (week < 1) return .{ .year = year - 1, .week = weeksIn(year - 1) };
    if (week > weeksIn(year)) return .{ .year = year + 1, .week = 1 };
    return .{ .year = year, .week = week };
}

fn weeksIn(year: i64) i64 {
    // A year has 53 weeks if its last day is a Thursday, or the last day of the year before a Wednesday.
    return if (lastWeekday(year) == 4 or lastWeekday(year - 1) == 3) 53 else 52;
}

fn lastWeekday(year: i64) i64 {
    return @mod(year + @divFloor(year, 4) - @divFloor(year, 100) + @divFloor(year, 400), 7);
}
