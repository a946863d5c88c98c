"""Programs whose metamethods and finalizers go too deep."""

from __future__ import annotations

METAMETHODS = {
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
}
