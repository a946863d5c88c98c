-- The library `debug`.

--- Looking into running programs.
debug = {}

--- Would open a prompt. There is no input in the sandbox.
function debug.debug() end

--- The hook that is set: its function, mask and count.
function debug.gethook(thread) end

--- Facts about a function, or about the one `f` levels up: `what` chooses among `n` name, `S` source, `l`
--- line, `t` tail call, `u` parameters, `f` the function itself, `r` what is transferred, `L` its lines.
function debug.getinfo(thread, f, what) end

--- Name and value of a local variable: of the function at a level, by number; of a function itself only the
--- names of its parameters.
function debug.getlocal(thread, f, n) end

--- The metatable of any value, whatever its field `__metatable` says.
function debug.getmetatable(value) end

--- The registry, a table for the core's own use.
function debug.getregistry() end

--- Name and value of the n-th upvalue of a function.
function debug.getupvalue(f, n) end

--- The n-th user value of a userdata.
function debug.getuservalue(userdata, n) end

--- Has no effect any more; kept for old programs.
function debug.setcstacklimit(limit) end

--- Has `hook` called on calls (`c`), returns (`r`), lines (`l`), or after every `count` instructions.
--- Without arguments: never again.
function debug.sethook(thread, hook, mask, count) end

--- Sets a local variable of the function at a level, and returns its name.
function debug.setlocal(thread, level, n, value) end

--- Gives any value another metatable.
function debug.setmetatable(value, metatable) end

--- Sets the n-th upvalue of a function, and returns its name.
function debug.setupvalue(f, n, value) end

--- Sets the n-th user value of a userdata.
function debug.setuservalue(userdata, value, n) end

--- The calls that led here, as text, below a message.
function debug.traceback(thread, message, level) end

--- Something that tells whether two functions share an upvalue: then it is the same.
function debug.upvalueid(f, n) end

--- Lets the n-th upvalue of one function be the m-th of another.
function debug.upvaluejoin(f1, n1, f2, n2) end
