-- The library `string`. Its functions are methods of every string: `text:upper()`.

--- Functions for text. Every string has them as methods.
string = {}

--- The codes of the bytes from `first` to `last`, one result each. Without `last` only the first.
function string.byte(s, first, last) end

--- A string of the bytes that have these codes.
function string.char(...) end

--- The compiled code of a function as a binary string, for `load`. Upvalues do not come along.
function string.dump(f, strip) end

--- Where `pattern` is found first, from `init` on: start, end, and its captures. nil if it is not. With
--- `plain` it is searched for as it stands.
function string.find(s, pattern, init, plain) end

--- Puts values into a text: `%d` whole numbers, `%f` `%g` floats, `%s` anything as text, `%q` a Lua
--- literal, `%x` hexadecimal, `%c` a byte, `%%` the sign. Widths and precisions as in C: `%5.2f`.
function string.format(format, ...) end

--- For a `for` loop: one round for each match of `pattern`, with its captures, or all of it where it has
--- none.
function string.gmatch(s, pattern, init) end

--- Replaces matches of `pattern`, at most `n`. By a text (`%1` is a capture), by what a table has for the
--- first capture, or by what a function makes of the captures. Also returns how many matched.
function string.gsub(s, pattern, replacement, n) end

--- How many bytes it has.
function string.len(s) end

--- The text in small letters (ASCII).
function string.lower(s) end

--- The captures of the first match of `pattern`, or all of it where it has none. nil if nothing matches.
function string.match(s, pattern, init) end

--- Values as binary data; `format` says how: `<` little endian, `i4` an integer of 4 bytes, `d` a double,
--- `s2` a string behind its length, `z` one that ends with a zero.
function string.pack(format, ...) end

--- How long the result of `string.pack` is for a format without strings of variable length.
function string.packsize(format) end

--- The text `n` times, with `separator` in between.
function string.rep(s, n, separator) end

--- The bytes in the opposite order.
function string.reverse(s) end

--- The part from byte `first` to byte `last`, both included. Negative places count from the end.
function string.sub(s, first, last) end

--- Reads what `string.pack` has written, from `place` on. After the values comes the place behind them.
function string.unpack(format, s, place) end

--- The text in capital letters (ASCII).
function string.upper(s) end
