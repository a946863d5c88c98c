"""Programs that would run for a very long time."""

from __future__ import annotations

# Every program begins with `started()`, and would run for a very long time.
PROGRAMS = {
    # Lua code.
    "while": "while true do end",
    "repeat": "local x = 0; repeat x = x + 1 until false",
    "numeric for": "for i = 1, math.huge do end",
    "goto": "::again:: goto again",
    "nested loops": "while true do for i = 1, 10 do for j = 1, 10 do local x = i * j end end end",
    "table access": "local t = {1, 2, 3}; local i = 1; while true do i = t[i % 3 + 1] end",
    "calls": "local function f(x) return x end while true do f(1) end",
    "tail calls": "local function f() return f() end f()",
    "fibonacci": "local function f(n) return n < 2 and n or f(n - 1) + f(n - 2) end f(80)",
    "deep recursion": """
        local function f(n) if n > 0 then return 1 + f(n - 1) end return 0 end
        while true do f(5000) end
    """,
    "stack overflows": "local function f() return 1 + f() end while true do pcall(f) end",
    "closures": "while true do local x; local f = function() return x end end",
    "garbage": "while true do local t = {{}, {}} end",
    "growing and shrinking": "while true do local t = {}; for i = 1, 1e5 do t[i] = {i} end end",
    "metamethods": """
        local t = setmetatable({}, {__index = function(_, k) return k end,
          __add = function(a) return a end, __eq = function() return false end})
        while true do local x = t[1]; x = t + t; x = t == setmetatable({}, getmetatable(t)) end
    """,
    "iterators": "while true do for _ in pairs({1, 2}) do end for _ in ipairs({1, 2}) do end end",
    # Errors swallowed.
    "pcall": "while true do pcall(error, 'x') end",
    "pcall around a loop": "while true do pcall(function() while true do end end) end",
    "nested pcall": """
        local function f(n) while true do if n > 0 then pcall(f, n - 1) end end end
        f(20)
    """,
    "xpcall": "while true do xpcall(error, function() return 1 end, 'x') end",
    "xpcall around a loop": """
        local function loop() while true do end end
        while true do xpcall(loop, loop) end
    """,
    "error in a handler": "xpcall(error, function() while true do end end)",
    "error in error in a handler": """
        while true do xpcall(error, function(e) error(e) end, "x") end
    """,
    "pcall of a recursion": """
        local function f() pcall(f); pcall(f); return 1 end
        while true do f() end
    """,
    "error objects": "while true do pcall(error, setmetatable({}, {__tostring = error})) end",
    # Coroutines.
    "coroutine that yields": """
        local co = coroutine.wrap(function() while true do coroutine.yield() end end)
        while true do co() end
    """,
    "coroutine that loops": "coroutine.wrap(function() while true do end end)()",
    "resume that swallows": """
        while true do
          coroutine.resume(coroutine.create(function() while true do end end))
        end
    """,
    "nested coroutines": """
        local function f(n)
          if n == 0 then while true do end end
          while true do coroutine.resume(coroutine.create(f), n - 1) end
        end
        f(50)
    """,
    "coroutine in a generic for": """
        for _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end
    """,
    "new coroutines": "while true do coroutine.wrap(function() coroutine.yield() end)() end",
    "coroutine.close": """
        while true do
          local co = coroutine.create(function()
            local c <close> = setmetatable({}, {__close = function() while true do end end})
            coroutine.yield()
          end)
          coroutine.resume(co)
          coroutine.close(co)
        end
    """,
    "wrap with pcall inside": """
        while true do
          local co = coroutine.wrap(function() while true do pcall(coroutine.yield) end end)
          for i = 1, 100 do co() end
        end
    """,
    # Finalizers and closing.
    "finalizer": "setmetatable({}, {__gc = function() while true do end end}); collectgarbage()",
    "finalizers": """
        local mt = {}
        mt.__gc = function() setmetatable({}, mt) end
        setmetatable({}, mt)
        while true do collectgarbage() end
    """,
    "finalizer with pcall": """
        setmetatable({}, {__gc = function() while true do pcall(error) end end})
        collectgarbage()
    """,
    "finalizer with a coroutine": """
        setmetatable({}, {__gc = function()
          coroutine.wrap(function() while true do end end)()
        end})
        while true do local t = {} end
    """,
    "finalizer with a pattern": """
        setmetatable({}, {__gc = function()
          return (("a"):rep(40)):find((".*"):rep(40) .. "b")
        end})
        collectgarbage()
    """,
    "__close": """
        do local c <close> = setmetatable({}, {__close = function() while true do end end}) end
    """,
    "__close while an error passes": """
        while true do
          pcall(function()
            local c <close> = setmetatable({}, {__close = function() while true do end end})
            error("x")
          end)
        end
    """,
    "collectgarbage": "while true do collectgarbage() end",
    "collectgarbage of much": """
        local t = {}
        for i = 1, 3e5 do t[i] = {i} end
        while true do collectgarbage() end
    """,
    "collectgarbage in steps": "while true do collectgarbage('step', 1); local t = {} end",
    "generational collector": """
        collectgarbage("generational")
        while true do local t = {{}} end
    """,
    # The C library, where hooks are not seen.
    "string.rep": "while true do local s = ('x'):rep(5e7) end",
    "string.rep with a separator": "while true do local s = ('x'):rep(2e7, ', ') end",
    "gsub": "local s = ('a'):rep(1e6); while true do s:gsub('a', 'b') end",
    "gsub, quadratic": "return ('a'):rep(1e7):gsub('a*b', '')",
    "gsub with a function": """
        local s = ("a"):rep(1e6)
        while true do s:gsub(".", function() end) end
    """,
    "gsub with a table": "local s = ('a'):rep(1e6); while true do s:gsub('.', {a = 'b'}) end",
    "find, exponential": "return ('a'):rep(40):find(('a?'):rep(40) .. ('a'):rep(40) .. 'b')",
    "find, polynomial": "return ('a'):rep(1e4):find(('.*'):rep(30) .. 'b')",
    "find of %b": "return ('('):rep(1e6):find('%b()')",
    "find, plain": "return ('a'):rep(4e7):find(('a'):rep(1e7) .. 'b', 1, true)",
    "match with captures": "return ('a'):rep(40):match(('(a*)'):rep(20) .. 'b')",
    "gmatch": "while true do for _ in ('a b '):rep(1e5):gmatch('%w+') do end end",
    "table.sort": """
        local t = {}
        while true do for i = 1, 2e5 do t[i] = i * 7919 % 100003 end table.sort(t) end
    """,
    "table.sort with a comparison": """
        local t = {}
        for i = 1, 2e5 do t[i] = i * 7919 % 100003 end
        while true do table.sort(t, function(a, b) return a > b end) end
    """,
    "table.sort that loops": "table.sort({3, 2, 1}, function() while true do end end)",
    "table.sort of equals": """
        local t = setmetatable({}, {__len = function() return 2^31 - 2 end,
          __index = function() return 1 end, __newindex = function() end})
        table.sort(t)
    """,
    "table.concat": """
        local t = {}
        for i = 1, 1e6 do t[i] = "some text" end
        while true do local s = table.concat(t, ", ") end
    """,
    "table.concat with __index": """
        return table.concat(setmetatable({}, {__index = function() return "" end}), "", 1, 1 << 50)
    """,
    "table.move": "table.move({}, 1, 1 << 50, 2, {})",
    "table.insert": """
        while true do
          local t = {}
          for i = 1, 1e5 do table.insert(t, 1, i) end
        end
    """,
    "table.unpack": "while true do local n = select('#', table.unpack({}, 1, 2e5)) end",
    "next": "local t = {}; for i = 1, 1e5 do t[i] = i end while next(t, next(t)) do end",
    "string.format": """
        local t = {}
        for i = 1, 200 do t[i] = 10.0 ^ i end
        while true do local s = ("%99.99f"):rep(200):format(table.unpack(t)) end
    """,
    "string.format of strings": """
        local s = ("x"):rep(1e7)
        while true do local t = string.format("%s%q", s, s) end
    """,
    "string.format of numbers": "while true do local s = ('%.99f'):format(1e300) end",
    "concatenation": "local s = ('x'):rep(1e7); while true do local t = s .. s .. s end",
    "comparison": "local a, b = ('x'):rep(1e8), ('x'):rep(1e8); while true do local x = a < b end",
    "upper, reverse, byte": """
        local s = ("x"):rep(1e7)
        while true do s = s:upper():reverse():lower(); s:byte(1, 1000) end
    """,
    "string.pack": """
        local s = ("x"):rep(1e6)
        while true do string.unpack("s", string.pack("s", s)) end
    """,
    "tonumber and tostring": "while true do tonumber(('1'):rep(190)); tostring(1.5) end",
    "utf8.len": "local s = ('x'):rep(5e7); while true do utf8.len(s) end",
    "utf8.codes": "local s = ('x'):rep(1e6); while true do for _ in utf8.codes(s) do end end",
    "utf8.offset": "local s = ('x'):rep(5e7); while true do utf8.offset(s, 5e7) end",
    "utf8.codepoint": "while true do utf8.char(utf8.codepoint(('x'):rep(1000), 1, -1)) end",
    "math": "while true do math.sin(math.random(100)) end",
    "a value that calls itself": "local t = {}; setmetatable(t, {__call = t}); t()",
    # Loading.
    "load of an endless reader": "return load(function() return ' ' end)",
    "load of an endless comment": """
        local part
        return load(function() part = part and "x" or "--"; return part end)
    """,
    "load of a large chunk": """
        local s = (" "):rep(1e7)
        while true do load(s) end
    """,
    "load in a loop": "while true do load('return 1 + 1')() end",
    "load of a coroutine": """
        return load(coroutine.wrap(function() while true do coroutine.yield(" ") end end))
    """,
    "load of much code": "local s = ('a = a + 1 '):rep(1e5); while true do load(s) end",
    "dump": "while true do string.dump(function() return 1 end) end",
    # Output, and whatever asks the host.
    "print": "while true do print('x') end",
    "print of much": "local s = ('x'):rep(1e5); while true do print(s) end",
    "io.write": "while true do io.write('x', 1, 2.5) io.stderr:write('y') end",
    "warn": "while true do warn('x') end",
    "__tostring in print": """
        print(setmetatable({}, {__tostring = function() while true do end end}))
    """,
    "os.time, os.date, os.clock": "while true do os.time(); os.date(); os.clock() end",
    "loadfile": "while true do loadfile('nothing.lua') end",
    "require": "while true do pcall(require, 'nothing') end",
    # Hooks set by the program.
    "hook taken away": "while true do debug.sethook() end",
    "hook replaced": "while true do debug.sethook(function() end, 'crl', 1) end",
    "hook replaced under pcall": "while true do pcall(debug.sethook, function() end, '', 1) end",
    "hook that loops": """
        debug.sethook(function() while true do end end, "", 1)
        local x = 1
    """,
    "hook in a coroutine": """
        while true do
          local co = coroutine.create(function() while true do end end)
          debug.sethook(co, function() debug.sethook(co) end, "", 1)
          pcall(coroutine.resume, co)
        end
    """,
    "hook that takes hooks away": """
        local function h() debug.sethook() debug.sethook(h, "crl", 1) end
        debug.sethook(h, "crl", 1)
        while true do pcall(string.rep, "x", 10) end
    """,
    "hook in every coroutine": """
        local function f()
          debug.sethook()
          while true do
            coroutine.wrap(function() debug.sethook(); pcall(error); debug.sethook() end)()
            debug.sethook()
          end
        end
        while true do pcall(f) end
    """,
    "debug library": "while true do debug.traceback(); debug.getinfo(1, 'nSltufrL') end",
}

IN_NEW_MEMORY = {
    "find, plain": (
        "local s, p = ('a'):rep(4e7), ('a'):rep(1e7) .. 'b'",
        "return s:find(p, 1, true)",
    ),
    "find of %b": ("local s = ('('):rep(1e6)", "return s:find('%b()')"),
    "find, exponential": (
        "local s, p = ('a'):rep(40), ('a?'):rep(40) .. ('a'):rep(40) .. 'b'",
        "return s:find(p)",
    ),
    "gsub": ("local s = ('a'):rep(1e7)", "return s:gsub('a*b', '')"),
    "comparison": (
        "local a, b = ('x'):rep(6e7), ('x'):rep(6e7)",
        "while true do local x = a < b end",
    ),
    "utf8.len": ("local s = ('x'):rep(6e7)", "while true do utf8.len(s) end"),
    "utf8.offset": ("local s = ('x'):rep(6e7)", "while true do utf8.offset(s, 6e7) end"),
    "string.rep": ("local s = ('x'):rep(6e7)", "while true do local t = s:rep(1) end"),
    "upper": ("local s = ('x'):rep(6e7)", "while true do local t = s:upper() end"),
    "concatenation": ("local s = ('x'):rep(5e7)", "while true do local t = s .. 'y' end"),
    "table.concat": (
        "local t = {} for i = 1, 1e6 do t[i] = 'some text' end",
        "while true do local s = table.concat(t) end",
    ),
    "table.sort": (
        "local t = {} for i = 1, 1e6 do t[i] = i * 7919 % 100003 end",
        "while true do table.sort(t) table.sort(t, function(a, b) return a > b end) end",
    ),
    "table.move": ("local t = {}", "table.move(t, 1, 1 << 50, 2)"),
    "load": ("local s = (' '):rep(3e7)", "while true do load(s) end"),
    "collectgarbage": (
        "local t = {} for i = 1, 5e5 do t[i] = {i} end",
        "while true do collectgarbage() end",
    ),
    "calls": ("local t = {} setmetatable(t, {__call = t})", "t()"),
    "a loop": ("local f = load('while true do end')", "f()"),
}
"""What a program makes, and what it does with that for ever."""
