-- The library `io`, as far as a sandbox has one.

--- Writing to the output. What would reach files is refused.
io = {}

--- Standard error: `io.stderr:write("text")` appears as output of its own kind.
io.stderr = {}

--- Standard input. There is nothing to read in the sandbox.
io.stdin = {}

--- Standard output.
io.stdout = {}

--- Refused: there are no files in the sandbox.
function io.close(file) end

--- Hands on what was written so far.
function io.flush() end

--- The handle of the default input. Choosing another one is refused.
function io.input(file) end

--- Refused: there are no files in the sandbox.
function io.lines(filename, ...) end

--- Refused: there are no files in the sandbox.
function io.open(filename, mode) end

--- The handle of the default output. Choosing another one is refused.
function io.output(file) end

--- Refused: the sandbox runs no processes.
function io.popen(program, mode) end

--- Refused: there is no input in the sandbox.
function io.read(...) end

--- Refused: there are no files in the sandbox.
function io.tmpfile() end

--- `"file"` for an open handle, `"closed file"` for a closed one, nil for anything else.
function io.type(value) end

--- Prints strings and numbers as they are, without a line end.
function io.write(...) end
