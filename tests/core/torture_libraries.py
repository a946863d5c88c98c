"""Programs that ask the libraries for too much; errors and results that are hard to tell."""

from __future__ import annotations

LIBRARIES = {
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
