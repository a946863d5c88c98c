//! The heap of the VM: a two-level segregated fit allocator (TLSF) over the linear memory.
//!
//! Source of the algorithm: Masmano, Ripoll, Crespo, Real, "TLSF: a new dynamic memory allocator for
//! real-time systems", ECRTS 2004. Blocks carry a four-byte header; payloads are 8-aligned. Free
//! neighbours are merged at once. What lies above `top` has never been used, or was given back: an
//! image of the VM ends at `top`.

const std = @import("std");
const assert = std.debug.assert;

/// A block's total size in bytes, a multiple of 8, with two flags in the low bits.
const Header = u32;
const flag_free: u32 = 1;
const flag_previous_free: u32 = 2;
const flags_mask: u32 = 7;

const header_size: u32 = 4;
const block_size_min: u32 = 16;
const page_size: u32 = 65536;

const second_level_log2 = 5;
const second_level_count = 1 << second_level_log2;
/// Sizes below this are divided linearly, in steps of 8 bytes.
const linear_size = 8 * second_level_count;
const first_level_count = 32 - 8 + 1;

/// Kept in one struct so that the whole state of the heap is visible at a glance.
const Heap = struct {
    first_level_bitmap: u32 = 0,
    second_level_bitmaps: [first_level_count]u32 = @splat(0),
    /// Addresses of the first free block of each class; 0 for none.
    free_lists: [first_level_count][second_level_count]u32 = @splat(@splat(0)),
    /// Address of the header of the unused rest.
    top: u32 = 0,
    /// End of what may be used without growing the memory.
    end: u32 = 0,
    /// Whether the block right below `top` is free. (It never is: it would have been merged.)
    base: u32 = 0,
};

pub var heap: Heap = .{};

extern var __heap_base: u8;

pub fn init() void {
    const start = std.mem.alignForward(u32, @intCast(@intFromPtr(&__heap_base)), 8);
    heap.base = start + header_size;
    heap.top = heap.base;
    heap.end = memoryEnd();
}

/// Lua's allocation function (`lua_Alloc`).
pub fn luaAlloc(_: ?*anyopaque, old: ?[*]u8, old_size: usize, new_size: usize) callconv(.c) ?[*]u8 {
    if (new_size == 0) {
        if (old) |pointer| release(@intCast(@intFromPtr(pointer)));
        return null;
    }
    const address = if (old) |pointer|
        resize(@intCast(@intFromPtr(pointer)), @intCast(old_size), @intCast(new_size))
    else
        allocate(@intCast(new_size));
    return if (address == 0) null else @ptrFromInt(address);
}

fn word(address: u32) *u32 {
    return @ptrFromInt(address);
}

fn sizeOf(block: u32) u32 {
    return word(block).* & ~flags_mask;
}

fn nextFree(block: u32) *u32 {
    return word(block + 4);
}

fn previousFree(block: u32) *u32 {
    return word(block + 8);
}

fn blockSize(request: u32) u32 {
    return @max(block_size_min, std.mem.alignForward(u32, request +| header_size, 8));
}

const Class = struct { first: u5, second: u5 };

fn classOf(size: u32) Class {
    if (size < linear_size) return .{ .first = 0, .second = @intCast(size >> 3) };
    const log2: u5 = @intCast(31 - @clz(size));
    return .{
        .first = @intCast(log2 - 7),
        .second = @truncate(size >> (log2 - second_level_log2)),
    };
}

fn insert(block: u32, size: u32) void {
    const class = classOf(size);
    const head = &heap.free_lists[class.first][class.second];
    nextFree(block).* = head.*;
    previousFree(block).* = 0;
    if (head.* != 0) previousFree(head.*).* = block;
    head.* = block;
    heap.first_level_bitmap |= @as(u32, 1) << class.first;
    heap.second_level_bitmaps[class.first] |= @as(u32, 1) << class.second;
    word(block).* = size | flag_free | (word(block).* & flag_previous_free);
    word(block + size - 4).* = size;
    word(block + size).* |= flag_previous_free;
}

fn remove(block: u32, size: u32) void {
    const next = nextFree(block).*;
    const previous = previousFree(block).*;
    if (next != 0) previousFree(next).* = previous;
    if (previous != 0) {
        nextFree(previous).* = next;
        return;
    }
    const class = classOf(size);
    heap.free_lists[class.first][class.second] = next;
    if (next == 0) {
        heap.second_level_bitmaps[class.first] &= ~(@as(u32, 1) << class.second);
        if (heap.second_level_bitmaps[class.first] == 0) {
            heap.first_level_bitmap &= ~(@as(u32, 1) << class.first);
        }
    }
}

/// Address of a free block of at least `size` bytes, taken off its list; 0 if there is none.
fn take(size: u32) u32 {
    // Round up to the next class, so that any block found there is large enough.
    const rounded = if (size < linear_size) size else blk: {
        const log2: u5 = @intCast(31 - @clz(size));
        break :blk size +| ((@as(u32, 1) << (log2 - second_level_log2)) - 1);
    };
    const class = classOf(rounded);
    var first: u5 = class.first;
    var bits = heap.second_level_bitmaps[first] & (~@as(u32, 0) << class.second);
    if (bits == 0) {
        const above = heap.first_level_bitmap & (~@as(u32, 1) << first);
        if (above == 0) return 0;
        first = @intCast(@ctz(above));
        bits = heap.second_level_bitmaps[first];
    }
    const block = heap.free_lists[first][@ctz(bits)];
    remove(block, sizeOf(block));
    return block;
}

fn allocate(request: u32) u32 {
    const size = blockSize(request);
    const block = take(size);
    if (block == 0) return allocateFromTop(size);
    const available = sizeOf(block);
    assert(available >= size);
    useBlock(block, available, size);
    return block + header_size;
}

/// Marks the first `size` bytes of a block that is on no list as used, and frees the rest.
fn useBlock(block: u32, available: u32, size: u32) void {
    const previous_flag = word(block).* & flag_previous_free;
    if (available - size >= block_size_min) {
        word(block).* = size | previous_flag;
        word(block + size).* = 0;
        insert(block + size, available - size);
    } else {
        word(block).* = available | previous_flag;
        word(block + available).* &= ~flag_previous_free;
    }
}

fn allocateFromTop(size: u32) u32 {
    if (!ensureTop(size)) return 0;
    const block = heap.top;
    heap.top += size;
    word(block).* = size;
    word(heap.top).* = 0;
    return block + header_size;
}

/// Sees to it that `size` bytes and one more header fit above `top`.
fn ensureTop(size: u32) bool {
    const needed = @as(u64, heap.top) + size + header_size;
    if (needed <= heap.end) return true;
    // An image restored into a larger memory leaves more than was known.
    heap.end = memoryEnd();
    if (needed <= heap.end) return true;
    const missing: u32 = @intCast((needed - heap.end + page_size - 1) / page_size);
    if (missing > 65536) return false;
    // Grow by an eighth, for few and large steps; by what is needed when the limit is near.
    const generous = @max(missing, (heap.end / page_size) / 8);
    if (@wasmMemoryGrow(0, generous) < 0) {
        if (@wasmMemoryGrow(0, missing) < 0) return false;
    }
    heap.end = memoryEnd();
    return true;
}

/// Whether `size` bytes in one piece can be had from the end of the memory.
pub fn hasRoom(size: u32) bool {
    return ensureTop(size);
}

/// How large the heap is, with what is not used of it; it may still be able to grow.
pub fn capacity() u32 {
    return heap.end - heap.base;
}

fn memoryEnd() u32 {
    const pages: u64 = @wasmMemorySize(0);
    return @intCast(@min(pages * page_size, std.math.maxInt(u32) - 7));
}

fn release(address: u32) void {
    var block = address - header_size;
    var size = sizeOf(block);
    assert(word(block).* & flag_free == 0);
    if (word(block).* & flag_previous_free != 0) {
        const previous_size = word(block - 4).*;
        block -= previous_size;
        size += previous_size;
        remove(block, previous_size);
    }
    const next = block + size;
    if (next == heap.top) {
        heap.top = block;
        return;
    }
    if (word(next).* & flag_free != 0) {
        const next_size = sizeOf(next);
        remove(next, next_size);
        size += next_size;
    }
    insert(block, size);
}

fn resize(address: u32, old_request: u32, new_request: u32) u32 {
    const block = address - header_size;
    const old_size = sizeOf(block);
    const size = blockSize(new_request);
    if (size <= old_size) {
        if (old_size - size >= block_size_min) shrink(block, old_size, size);
        return address;
    }
    const next = block + old_size;
    if (next == heap.top) {
        if (ensureTop(size - old_size)) {
            heap.top = block + size;
            word(block).* = size | (word(block).* & flag_previous_free);
            word(heap.top).* = 0;
            return address;
        }
        // There may be room further down.
    } else if (word(next).* & flag_free != 0 and old_size + sizeOf(next) >= size) {
        const available = old_size + sizeOf(next);
        remove(next, sizeOf(next));
        useBlock(block, available, size);
        return address;
    }
    const moved = allocate(new_request);
    if (moved == 0) return 0;
    const source: [*]const u8 = @ptrFromInt(address);
    const target: [*]u8 = @ptrFromInt(moved);
    @memcpy(target[0..old_request], source[0..old_request]);
    release(address);
    return moved;
}

fn shrink(block: u32, old_size: u32, size: u32) void {
    const previous_flag = word(block).* & flag_previous_free;
    const next = block + old_size;
    if (next == heap.top) {
        heap.top = block + size;
        word(block).* = size | previous_flag;
        word(heap.top).* = 0;
        return;
    }
    var rest = old_size - size;
    if (word(next).* & flag_free != 0) {
        const next_size = sizeOf(next);
        remove(next, next_size);
        rest += next_size;
    }
    word(block).* = size | previous_flag;
    word(block + size).* = 0;
    insert(block + size, rest);
}
