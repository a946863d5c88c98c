-- The library `coroutine`.

--- Functions that can pause and go on. Coroutines live as long as the VM; they cannot be stored.
coroutine = {}

--- Ends a coroutine that is not running, and closes its to-be-closed variables. true, or false and the
--- error.
function coroutine.close(co) end

--- A new coroutine that will run `f`. `coroutine.resume` starts it.
function coroutine.create(f) end

--- Whether a coroutine can pause: the running one, unless another is given.
function coroutine.isyieldable(co) end

--- Starts a coroutine, or lets it go on; the other arguments are what its `yield` returns. true and what it
--- yields or returns, or false and the error.
function coroutine.resume(co, ...) end

--- The running coroutine, and whether it is the main one.
function coroutine.running() end

--- `"running"`, `"suspended"`, `"normal"` (it has resumed another one) or `"dead"`.
function coroutine.status(co) end

--- A new coroutine as a function: each call lets it go on, and errors are raised again.
function coroutine.wrap(f) end

--- Pauses the running coroutine. Its arguments become results of `resume`; it returns what the next
--- `resume` hands over.
function coroutine.yield(...) end
