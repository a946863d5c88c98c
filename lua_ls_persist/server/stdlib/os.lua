-- The library `os`, as far as a sandbox has one.

--- Time and date. What would reach files and processes is refused.
os = {}

--- How many seconds this VM has been open, as a float. For measuring durations.
function os.clock() end

--- A time as text, in the manner of C's strftime; `"*t"` gives a table with `year`, `month`, `day` and so
--- on. A `!` in front means UTC. Without a time: now.
function os.date(format, time) end

--- How many seconds lie between two times.
function os.difftime(later, earlier) end

--- Refused: the sandbox runs no processes.
function os.execute(command) end

--- Refused: a program does not end the editor's session.
function os.exit(code, close) end

--- The value of an environment variable. In the sandbox there are none: nil.
function os.getenv(name) end

--- Refused: there are no files in the sandbox.
function os.remove(filename) end

--- Refused: there are no files in the sandbox.
function os.rename(old, new) end

--- The locale, which is always `"C"`; asking for another one gives nil.
function os.setlocale(locale, category) end

--- Seconds since 1970: of now, or of a table with `year`, `month`, `day` and perhaps `hour`, `min`, `sec`.
function os.time(table) end

--- Refused: there are no files in the sandbox.
function os.tmpname() end
