"""Programs and sources that go too deep, are too long, or want too much memory."""

from __future__ import annotations

PROGRAMS = {
    # Calls.
    "recursion": "local function f() return 1 + f() end return f()",
    "mutual recursion": """
        local f, g
        function f(n) return n + g(n + 1) end
        function g(n) return n + f(n + 1) end
        return f(1)
    """,
    "recursion with large frames": f"""
        local function f(...)
          local {", ".join(f"a{n}" for n in range(150))} = ...
          return 1 + f(...)
        end
        return f(1, 2, 3)
    """,
    "recursion with growing arguments": "local function f(...) return 1 + f(1, ...) end return f()",
    "recursion with many arguments": """
        local t = {}
        for i = 1, 5000 do t[i] = i end
        local function f(...) return (select("#", f(table.unpack(t)))) end
        return f()
    """,
    "recursion through a method": """
        local t = {}
        function t:go(n) return self:go(n + 1) + 1 end
        return t:go(1)
    """,
    "unpack of everything": """
        local t = {}
        for i = 1, 30000 do t[i] = i end
        local n = 0
        local function f(...) n = n + 1; return f(table.unpack(t)), ... end
        return f()
    """,
    "too many results": "return table.unpack({}, 1, 1e7)",
    "many arguments": "return select('#', string.char(string.byte(('x'):rep(2e5), 1, -1)))",
    "long slice": "return string.byte(('x'):rep(1e6), 1, -1)",
    # Protected calls and handlers.
    "nested pcall": "local function f() return select('#', pcall(f)) end return f()",
    "nested pcall that raises again": """
        local function f() local ok, e = pcall(f); error(e, 0) end
        f()
    """,
    "nested xpcall": """
        local function f() return select("#", xpcall(f, debug.traceback)) end
        return f()
    """,
    "handler that recurses": """
        local function h(e) return 1 + h(e) end
        return xpcall(error, h, "x")
    """,
    "handler that raises": "return xpcall(error, function(e) error(e) end, 'x')",
    "handler that overflows after an overflow": """
        local function f() return 1 + f() end
        return xpcall(f, f)
    """,
    "handler that calls xpcall with itself": """
        local function h(e) return xpcall(error, h, e) end
        return xpcall(error, h, "x")
    """,
    "handler that is a table": "return xpcall(error, setmetatable({}, {__call = error}), 'x')",
    "handler that collects": """
        local function f() return 1 + f() end
        return xpcall(f, function(e) collectgarbage(); return {e} end)
    """,
    "traceback of an overflow": """
        local function f() return 1 + f() end
        local ok, e = xpcall(f, debug.traceback)
        return ok, #e
    """,
    "overflow in every pcall": """
        local function f() return 1 + f() end
        for i = 1, 4 do assert(not pcall(f)) end
    """,
    # Metamethods.
    "__index function": """
        local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end})
        return t[1]
    """,
    "__index chain": """
        local t = {}
        for i = 1, 3000 do t = setmetatable({}, {__index = t}) end
        return t.x
    """,
    "__index loop": "local t = {}; setmetatable(t, {__index = t}).x = nil; return t.x",
    "__newindex function": """
        local t = setmetatable({}, {__newindex = function(t, k, v) t[k + 1] = v end})
        t[1] = 1
    """,
    "__newindex loop": """
        local t = {}
        setmetatable(t, {__newindex = t})
        t.x = 1
    """,
    "__concat": """
        local t = setmetatable({}, {__concat = function(a, b) return a .. b end})
        return t .. "x"
    """,
    "__concat of many": """
        local t
        t = setmetatable({}, {__concat = function(a, b) return "x" .. t .. "y" .. "z" end})
        return 1 .. 2 .. t .. 3 .. t
    """,
    "__eq": """
        local mt = {}
        local a, b = setmetatable({}, mt), setmetatable({}, mt)
        mt.__eq = function(x, y) return x == y end
        return a == b
    """,
    "__lt": """
        local mt = {}
        local a, b = setmetatable({}, mt), setmetatable({}, mt)
        mt.__lt = function(x, y) return x < y end
        return a < b
    """,
    "__le": """
        local mt = {}
        local a, b = setmetatable({}, mt), setmetatable({}, mt)
        mt.__le = function(x, y) return y >= x end
        return a <= b
    """,
    "__call": """
        local t = setmetatable({}, {__call = function(self, n) return self(n + 1) + 1 end})
        return t(1)
    """,
    "__call chain": """
        local f = print
        for i = 1, 3000 do f = setmetatable({}, {__call = f}) end
        return f()
    """,
    "__unm, __len, __bnot": """
        local mt = {}
        mt.__unm = function(x) return #x end
        mt.__len = function(x) return ~x end
        mt.__bnot = function(x) return -x end
        return -setmetatable({}, mt)
    """,
    "__add": """
        local t = setmetatable({}, {__add = function(a, b) return a + b end})
        return t + 1
    """,
    "__tostring": """
        local t = setmetatable({}, {__tostring = function(t) return tostring(t) end})
        return tostring(t)
    """,
    "__tostring in print": """
        local t = setmetatable({}, {__tostring = function(t) print(t); return "t" end})
        print(t)
    """,
    "__tostring in format": """
        local t = setmetatable({}, {__tostring = function(t) return string.format("%s", t) end})
        return ("%s"):format(t)
    """,
    "__pairs": """
        local t = setmetatable({}, {__pairs = function(t) return pairs(t) end})
        return pairs(t)
    """,
    "__index in ipairs": """
        local t
        t = setmetatable({}, {__index = function() for _ in ipairs(t) do end end})
        for _ in ipairs(t) do end
    """,
    "__index in concat": """
        local t
        t = setmetatable({}, {
          __len = function() return 2 end,
          __index = function() return table.concat(t) end,
        })
        return table.concat(t)
    """,
    "__index in unpack and insert": """
        local t
        t = setmetatable({}, {
          __len = function() return 3 end,
          __index = function() table.insert(t, 1, 1); return table.unpack(t) end,
          __newindex = function() return table.move(t, 1, 3, 2) end,
        })
        return table.unpack(t)
    """,
    "__name of nonsense": """
        local t = setmetatable({}, {__name = {}, __tostring = function() return {} end})
        return tostring(t)
    """,
    "metatable of itself": """
        local t = {}
        t.__index, t.__newindex, t.__eq, t.__close, t.__add = t, t, t, t, t
        setmetatable(t, t)
        return pcall(function() return t + t end), pcall(function() t.x = 1 end), t.y
    """,
    # Closing.
    "__close that opens another": """
        local function f()
          local c <close> = setmetatable({}, {__close = f})
          return 1
        end
        return f()
    """,
    "__close in a recursion": """
        local function f(n)
          local c <close> = setmetatable({}, {__close = function() end})
          return 1 + f(n + 1)
        end
        return f(1)
    """,
    "__close that raises, many of them": """
        local function f(n)
          local c <close> = setmetatable({}, {__close = function(_, e) error(n, 0) end})
          if n > 0 then f(n - 1) end
        end
        f(150)
    """,
    "__close that overflows": """
        local function g() return 1 + g() end
        local function f(n)
          local c <close> = setmetatable({}, {__close = g})
          if n > 0 then f(n - 1) end
        end
        f(3)
    """,
    "__close in a generic for": """
        local n = 0
        local function f()
          n = n + 1
          if n < 3000 then
            for _ in next, {1}, nil, setmetatable({}, {__close = f}) do f() end
          end
        end
        f()
    """,
    # Finalizers.
    "__gc that makes garbage": """
        local n = 0
        local mt = {}
        mt.__gc = function()
          n = n + 1
          if n < 2000 then setmetatable({}, mt) end
          collectgarbage()
        end
        setmetatable({}, mt)
        collectgarbage()
        for i = 1, 50 do collectgarbage() end
        return n
    """,
    "__gc that overflows": """
        local function f() return 1 + f() end
        for i = 1, 3 do setmetatable({}, {__gc = f}) end
        collectgarbage()
    """,
    "__gc that runs a coroutine": """
        for i = 1, 20 do
          setmetatable({}, {__gc = function()
            local function f() return coroutine.wrap(f)() end
            f()
          end})
        end
        collectgarbage()
    """,
    "__gc while the stack is full": """
        local function f(n)
          if n % 100 == 0 then setmetatable({}, {__gc = function() return tostring({}) end}) end
          return 1 + f(n + 1)
        end
        return f(1)
    """,
    "changing the collector in __gc": """
        for i = 1, 200 do
          setmetatable({}, {__gc = function()
            collectgarbage(i % 2 == 0 and "generational" or "incremental")
            collectgarbage("step")
          end})
        end
        for i = 1, 10 do collectgarbage("step", 100); collectgarbage() end
        collectgarbage("incremental")
    """,
    "long lists and deep closures": """
        local list
        for i = 1, 100000 do list = {list} end
        local f = function() end
        for i = 1, 10000 do local g = f; f = function() return g end end
        collectgarbage()
        return f
    """,
    # Coroutines.
    "coroutines in coroutines": """
        local function f() return coroutine.wrap(f)() end
        return f()
    """,
    "resume in resume": """
        local function f(n)
          local ok, e = coroutine.resume(coroutine.create(f), n + 1)
          if not ok then error(e, 0) end
        end
        f(1)
    """,
    "pcall and coroutines by turns": """
        local function f() return select("#", pcall(coroutine.wrap(f))) end
        return f()
    """,
    "recursion inside coroutines": """
        local depth = 0
        local function g(n) if n > 0 then return 1 + g(n - 1) end return f(depth) end
        function f(n)
          depth = n + 1
          return coroutine.wrap(function() return g(100) end)()
        end
        return f(0)
    """,
    "overflow inside a coroutine": """
        local function f() return 1 + f() end
        local co = coroutine.create(f)
        local ok, e = coroutine.resume(co)
        return ok, e, #debug.traceback(co), coroutine.close(co)
    """,
    "coroutines as iterators": """
        local function f()
          for x in coroutine.wrap(function() coroutine.yield(1); f() end) do f() end
        end
        f()
    """,
    "coroutine.close that closes": """
        local function f()
          local co
          co = coroutine.create(function()
            local c <close> = setmetatable({}, {__close = function() f() end})
            coroutine.yield()
          end)
          coroutine.resume(co)
          local ok, e = coroutine.close(co)
          if not ok then error(e, 0) end
        end
        f()
    """,
    "many suspended coroutines": """
        local all = {}
        for i = 1, 1000 do
          all[i] = coroutine.wrap(function() for j = 1, 3 do coroutine.yield(j) end end)
          all[i]()
        end
        for _, co in ipairs(all) do co() end
    """,
    "yield from where it cannot": """
        local co = coroutine.wrap(function()
          table.sort({3, 2, 1}, function() coroutine.yield() end)
        end)
        co()
    """,
    "yield in metamethods and pcall": """
        local mt = {__index = function(_, k) return coroutine.yield(k) end}
        local co = coroutine.wrap(function()
          local t = setmetatable({}, mt)
          local function f(n) if n == 0 then return t.x end return (select(2, pcall(f, n - 1))) end
          return f(150)
        end)
        return co(), co(7)
    """,
    # Strings.
    "pattern of many optional items": """
        return string.find(("a"):rep(16), ("a?"):rep(16) .. ("a"):rep(16) .. "b")
    """,
    "deep pattern": "return string.find(('a'):rep(300000), ('a?'):rep(300000))",
    "pattern with many captures": "return string.find('x', ('('):rep(40) .. (')'):rep(40))",
    "pattern with nested captures": "return ('a'):rep(9):match(('(a*'):rep(9) .. ('b)'):rep(9))",
    "malformed patterns": """
        local n = 0
        local patterns = {"%", "[", "[^", "[a-", "[%", "(", "%b", "%bx", "%f", "%1", "(()", "a)"}
        for _, p in ipairs(patterns) do
          for _, f in ipairs {string.find, string.match, string.gmatch, string.gsub} do
            if not pcall(f, "x", p, "y") then n = n + 1 end
          end
        end
        return n
    """,
    "gsub in gsub": """
        local function f(c) return (c:gsub(".", f)) end
        return f("x")
    """,
    "gsub with a table that recurses": """
        local t
        t = setmetatable({}, {__index = function(_, c) return (c:gsub(".", t)) end})
        return (("x"):gsub(".", t))
    """,
    "gmatch in gmatch": """
        local function f() for c in ("x"):gmatch(".") do f() end end
        f()
    """,
    "string.rep of everything": "return ('x'):rep(1 << 60, 'y')",
    "string.format of everything": """
        local form, zeros = "%99.99f%-99d%099.50e%q%99s", ("\\0\\n"):rep(1000)
        return #string.format(form, -1e308, 1, 1e300, zeros, "x")
    """,
    "string.format without end": "return ('%d'):rep(100000):format(table.unpack({}, 1, 100))",
    "string.pack of everything": "return string.pack(('z'):rep(100) .. '!16 i16', 'x')",
    # Sorting.
    "sort that sorts": """
        local function less(a, b) table.sort({3, 2, 1}, less); return a < b end
        table.sort({3, 2, 1}, less)
    """,
    "sort without an order": """
        local t = {}
        for i = 1, 5000 do t[i] = i * 7919 % 5003 end
        return pcall(table.sort, t, function() return true end)
    """,
    "sort that raises": "table.sort({3, 2, 1}, function(a, b) error({a, b}) end)",
    "sort that shrinks the table": """
        local t = {}
        for i = 1, 1000 do t[i] = i * 7919 % 1009 end
        return pcall(table.sort, t, function(a, b) t[#t] = nil; return a < b end)
    """,
    # Loading.
    "load that loads": "local s = 'return 1 + load(...)(...)'; return load(s)(s)",
    "reader that loads": """
        local function reader() return load(reader) and nil end
        return load(reader)
    """,
    "require that requires": """
        package.searchers[2] = function(name)
          return function() return require(name .. "x") end
        end
        return require("x")
    """,
    "require in a circle": """
        package.preload.a = function() return require("b") end
        package.preload.b = function() return require("a") end
        return require("a")
    """,
    "dump and load": """
        local f = load(string.dump(function() return 1 end))
        return f and f()
    """,
    # Hooks. They belong to a coroutine each, so these do not outlive their program.
    "hook that recurses": """
        local function f() return 1 + f() end
        return coroutine.wrap(function()
          debug.sethook(function() debug.sethook(); pcall(f) end, "c")
          print(1)
        end)()
    """,
    "hook that raises": """
        return coroutine.wrap(function()
          debug.sethook(function() error("hook") end, "", 1)
          while true do end
        end)()
    """,
    "hook that sets hooks": """
        return coroutine.wrap(function()
          local function h() debug.sethook(h, "crl", 1) end
          debug.sethook(h, "crl", 1)
          for i = 1, 100 do string.rep("x", 10) end
        end)()
    """,
    "hook that yields": """
        return coroutine.wrap(function()
          debug.sethook(coroutine.yield, "", 1)
          for i = 1, 100 do end
        end)()
    """,
    "debug library on the running stack": """
        local function f(n)
          if n > 0 then return f(n - 1) + 1 end
          for level = 0, 300 do
            local info = debug.getinfo(level, "nSltufrL")
            if not info then break end
            for i = -5, 20 do debug.getlocal(level, i) end
          end
          return 0
        end
        return f(200)
    """,
    # Errors and what they carry.
    "error value that cannot be shown": """
        error(setmetatable({}, {__tostring = function(t) return tostring(t) end}))
    """,
    "error value whose __tostring raises": """
        error(setmetatable({}, {__tostring = function() error("no") end}))
    """,
    "error value whose __tostring yields": """
        error(setmetatable({}, {__tostring = function() coroutine.yield() end}))
    """,
    "error value whose __tostring overflows": """
        local function f() return 1 + f() end
        error(setmetatable({}, {__tostring = f}))
    """,
    "error value nested deeply": """
        local t = {}
        for i = 1, 10000 do t = {t} end
        error(t)
    """,
    "errors of long messages": "error(('x'):rep(100000))",
    "error at an impossible level": "error('x', 1 << 40)",
    # Results.
    "result nested deeply": "local t = {}; for i = 1, 10000 do t = {t, t} end; return t",
    "result with itself": "local t = {}; t[1], t.t, t[t] = t, t, t; return t, {t, {t}}",
    "result with strange keys": """
        return {[print] = 1, [{}] = 2, [1.5] = 3, [true] = 4, [coroutine.create(print)] = 5,
          [math.huge] = 6, ["\\0\\255"] = 7, [io.stdout] = 8, [-0.0] = 9, [1 << 63] = 10}
    """,
    "very many results": "return table.unpack({}, 1, 200000)",
}


SOURCES = {
    "parentheses": ("return ", "(", "1", ")"),
    "tables": ("return ", "{", "", "}"),
    "functions": ("", "function f() ", "", " end "),
    "closures": ("return ", "function() return ", "1", " end "),
    "blocks": ("", "do ", "", " end "),
    "loops": ("", "while x do ", "", " end "),
    "conditions": ("", "if x then ", "", " end "),
    "alternatives": ("if x then ", "elseif x then ", "end", ""),
    "else if": ("", "if x then else ", "", " end "),
    "repeat": ("", "repeat ", "", " until not x "),
    "fields": ("return a", ".a", "", ""),
    "indexes": ("return ", "a[", "1", "]"),
    "calls": ("return ", "f(", "", ")"),
    "calls one after the other": ("return f", "()", "", ""),
    "methods": ("return f", ":f()", "", ""),
    "strings as arguments": ("return f", '""', "", ""),
    "minus": ("return ", "- ", "1", ""),
    "not": ("return ", "not ", "1", ""),
    "powers": ("return 2", "^2", "", ""),
    "concatenations": ("return 2", "..a", "", ""),
    "sums": ("return 2", "+a", "", ""),
    "comparisons": ("return 2", "<a", "", ""),
    "and": ("return a", " and a", "", ""),
    "or": ("return ", "(a or ", "1", ")"),
    "locals": ("", "local a ", "", ""),
    "assignments": ("", "a, ", "a = 1", ""),
    "labels": ("", "::a:: do ", "", " end "),
    "gotos": ("", "do goto a ", "", " ::a:: end "),
    "upvalues": ("local a ", "function f() a = 1 ", "", " end "),
    "parameters": ("function f(a", ", a", ") end", ""),
    "attributes": ("", "local x <close> = nil ", "", ""),
    "comments": ("", "--[[ x ]]", "", ""),
    "long brackets": ("return [", "=", "[x]", "="),
    "empty statements": ("", ";", "", ""),
    "newlines": ("return ", "\n", "1", ""),
}
"""Source that nests: before, opening (repeated), middle, closing (repeated)."""

EXHAUSTING = {
    "string doubled": "local s = ('x'):rep(1000); while true do s = s .. s end",
    "string grown": "local s = ''; while true do s = s .. ('x'):rep(1000) end",
    "string.rep": "local n = 1; while true do n = n * 2; local s = ('x'):rep(n) end",
    "strings": "local t = {}; while true do t[#t + 1] = tostring(#t) .. 'some text' end",
    "array": "local t = {}; while true do t[#t + 1] = 1 end",
    "hash": "local t = {}; local i = 0.5; while true do t[i] = i; i = i + 1 end",
    "tables": "local t = {}; while true do t = {t, {}, x = {}} end",
    "closures": "local f; while true do local g = f; f = function() return g, f end end",
    "coroutines": """
        local t = {}
        while true do
          local co = coroutine.wrap(function(...) coroutine.yield(...) end)
          co(1, 2, 3)
          t[#t + 1] = co
        end
    """,
    "table.concat": """
        local t = {("x"):rep(100)}
        while true do
          local s = table.concat(t, ",")
          for i = 1, #t do t[#t + 1] = s end
        end
    """,
    "gsub": "local s = 'xx'; while true do s = s:gsub('.', '%0%0') end",
    "gsub with a function": """
        local s = 'xx'
        while true do s = s:gsub('.', function(c) return c .. c end) end
    """,
    "string.format": "local s = 'x'; while true do s = string.format('%s%q', s, s) end",
    "string.pack": "local s = 'x'; while true do s = string.pack('s4s4', s, s) end",
    "utf8.char": """
        local t = {}
        for i = 1, 100 do t[i] = 0x20AC end
        local all = {}
        while true do all[#all + 1] = utf8.char(table.unpack(t)) .. #all end
    """,
    "load": """
        local s = 'local t = {} '
        while true do
          s = s .. ('t[#t + 1] = "x" '):rep(#s)
          assert(load(s))
        end
    """,
    "load of a long token": "return assert(load(function() return ('a'):rep(100) end))",
    "load of many constants": """
        local n = 0
        return assert(load(function()
          n = n + 1
          return n == 1 and 'return {' or n .. '.5, '
        end))
    """,
    "long stack": "local function f(n) return 1 + f(n + 1) end return f(1)",
    "long stack in a coroutine": """
        local function f(n) return 1 + f(n + 1) end
        return coroutine.wrap(f)(1)
    """,
    "in a finalizer": """
        local keep, mt = {}, {}
        function mt.__gc(o)
          local s = "x"
          while true do s = s .. s end
        end
        for i = 1, 10 do setmetatable({}, mt); collectgarbage() end
        while true do keep[#keep + 1] = {} end
    """,
    "in __close": """
        local c <close> = setmetatable({}, {__close = function()
          local t = {}
          while true do t[#t + 1] = {} end
        end})
    """,
    "in a coroutine": """
        local co = coroutine.wrap(function()
          local t = {}
          while true do t[#t + 1] = {}; coroutine.yield() end
        end)
        while true do co() end
    """,
    "in a comparison": """
        local t, keep = {}, {}
        for i = 1, 1000 do t[i] = -i end
        while true do
          table.sort(t, function(a, b) keep[#keep + 1] = {a, b}; return a < b end)
        end
    """,
    "caught and kept": """
        local keep = {}
        while true do
          local ok, e = pcall(function()
            local t = {}
            while #t < 1000 do t[#t + 1] = {} end
            keep[#keep + 1] = t
          end)
          if not ok then error(e, 0) end
        end
    """,
    "weak tables": """
        local keep, weak = {}, setmetatable({}, {__mode = "k"})
        while true do
          local key = {}
          weak[key] = {key}
          keep[#keep + 1] = key
        end
    """,
}
