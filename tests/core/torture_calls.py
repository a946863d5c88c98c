"""Programs whose calls, errors and coroutines go too deep."""

from __future__ import annotations

CALLS = {
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
}
