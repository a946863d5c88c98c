-- The basic functions. Read by `__init__.py` beside this file; never run.

--- The table of all global variables. Assigning to a field of it makes a global.
_G = {}

--- The version of the language this VM speaks: `"Lua 5.4"`.
_VERSION = "Lua 5.4"

--- Gives its arguments back when the first is true. Otherwise raises `message`, or a standard text if
--- there is none.
function assert(value, message, ...) end

--- Controls the garbage collector: `"collect"` runs it once, `"count"` says how many kilobytes are in
--- use, `"stop"` and `"restart"` turn it off and on, `"step"`, `"isrunning"`, `"incremental"` and
--- `"generational"` tune it.
function collectgarbage(option, argument, ...) end

--- Would run a file. There are no files in the sandbox: use `require`.
function dofile(filename) end

--- Ends the running function with an error. A text gets the place in front; `level` says whose: 1 is
--- where `error` was called, 2 the caller of that function, 0 none.
function error(message, level) end

--- The metatable of a value, or what that says in its field `__metatable`. nil if there is none.
function getmetatable(value) end

--- Goes through `list[1]`, `list[2]` and so on in a `for` loop, up to the first nil.
function ipairs(list) end

--- Compiles Lua source, a text or a function that gives pieces of it, and returns the function made
--- of it, or nil and what is wrong. `name` is what messages call it, `mode` allows text (`"t"`), binary
--- chunks (`"b"`) or both, `env` is its table of globals.
function load(chunk, name, mode, env) end

--- Would compile a file. There are no files in the sandbox: use `require`.
function loadfile(filename, mode, env) end

--- The next key of a table and its value, in the order in which `pairs` goes. Without a key the first;
--- nil behind the last. Fields may be cleared on the way, but none added.
function next(table, key) end

--- Goes through all keys and values of a table in a `for` loop, in no particular order. A metamethod
--- `__pairs` decides instead, if there is one.
function pairs(table) end

--- Calls `f` with the other arguments and catches errors. true and what it returned, or false and the
--- error.
function pcall(f, ...) end

--- Prints its arguments as `tostring` writes them, with tabs between them. In an editor they appear
--- behind the line that printed them.
function print(...) end

--- Whether two values are the very same, without asking metamethods.
function rawequal(a, b) end

--- The field of a table, without asking `__index`.
function rawget(table, key) end

--- The length of a table or string, without asking `__len`.
function rawlen(value) end

--- Sets a field of a table, without asking `__newindex`. Returns the table.
function rawset(table, key, value) end

--- The module `name`: on first use its source is found in the workspace (an open buffer before the file)
--- and run; what it returns is kept in `package.loaded`. Also returns where it was found.
function require(name) end

--- The arguments from place `n` on; a negative one counts from the end. `select("#", ...)` is how many
--- there are, nils included.
function select(n, ...) end

--- Gives a table another metatable, or none for nil, and returns the table. Refused where the present
--- one has a field `__metatable`.
function setmetatable(table, metatable) end

--- The number that a text stands for, or nil. With `base` (2 to 36) a whole number written in that base.
function tonumber(value, base) end

--- A value as text people can read. A metamethod `__tostring` decides how, if there is one.
function tostring(value) end

--- What sort of value it is: `"nil"`, `"boolean"`, `"number"`, `"string"`, `"table"`, `"function"`,
--- `"thread"` or `"userdata"`.
function type(value) end

--- Shows a warning: in an editor, a diagnostic at this line. The parts are put together as they are.
function warn(message, ...) end

--- Like `pcall`, but an error goes through `handler` first, while the traceback still stands.
function xpcall(f, handler, ...) end
