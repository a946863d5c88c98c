-- The library `table`.

--- Functions for lists. They work on external tables, too.
table = {}

--- The strings and numbers of a list as one text, with `separator` between them.
function table.concat(list, separator, first, last) end

--- Puts a value into a list, at its end; with three arguments before place `place`, and what stood from
--- there on moves up.
function table.insert(list, place, value) end

--- Copies `source[first]` to `source[last]` into `target` (or itself) from place `to` on. Returns that.
function table.move(source, first, last, to, target) end

--- A new table of all arguments, with their number, nils included, as `n`.
function table.pack(...) end

--- Takes the element at `place` out of a list, by default the last one, closes the gap, and returns it.
function table.remove(list, place) end

--- Sorts a list in place. `less(a, b)` says whether a comes before b; otherwise `<` does. Equal elements
--- may change places.
function table.sort(list, less) end

--- The elements of a list as so many results.
function table.unpack(list, first, last) end
