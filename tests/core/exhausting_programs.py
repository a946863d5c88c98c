"""Programs that want more memory than there is."""

from __future__ import annotations

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
