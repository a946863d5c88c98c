-- Fifty functions that together use every instruction of Lua 5.4. Their bytecode is what the tests of
-- the verifier change at random. Each takes nothing and knows nothing but what it makes.

local functions = {}

local function add(f) functions[#functions + 1] = f end

add(function() return 1 end)
add(function() return nil, true, false, 1.5, "text", 123456789, -1 end)
add(function() local a, b, c = 1, 2; return c, b, a end)
add(function(...) return ... end)
add(function(...) local a, b = ...; return select("#", ...), a, b end)
add(function(a, b, ...) local t = { a, b, ... }; return #t, (...) end)
add(function() local t = {}; t.x = 1; t[1] = 2; t["y z"] = t.x + t[1]; return t["y z"] end)
add(function() local t = { 1, 2, 3, x = 1, y = { z = 2 } }; return t.y.z + #t end)
add(function() local k, t = "key", {}; t[k] = 5; t[t] = t; return t[k], t[t] == t end)
add(function() local s = 0; for i = 1, 10 do s = s + i end; return s end)
add(function() local s = 0; for i = 10, 1, -3 do s = s + i * 2 end; return s end)
add(function() local s = 0; for i = 1.0, 2.0, 0.25 do s = s + i end; return s end)
add(function() local n = 0; for i = 1, 3 do for j = i, 3 do n = n * 10 + j end end; return n end)
add(function()
  local t, n = { a = 1, b = 2, 3, 4 }, 0
  for k, v in next, t do n = n + v end
  return n
end)
add(function()
  local function range(n, i) if i < n then return i + 1 end end
  local s = 0
  for i in range, 5, 0 do if i == 3 then goto continue end; s = s + i; ::continue:: end
  return s
end)
add(function()
  local fs = {}
  for i = 1, 3 do fs[i] = function() i = i + 1; return i end end
  return fs[1](), fs[1](), fs[2]()
end)
add(function()
  local n = 0
  local function up() n = n + 1; return n end
  local function twice() up(); return up() end
  return twice(), twice(), n
end)
add(function()
  local function fact(n) if n <= 1 then return 1 end; return n * fact(n - 1) end
  return fact(10)
end)
add(function()
  local function loop(n, a) if n == 0 then return a end; return loop(n - 1, a + n) end
  return loop(20, 0)
end)
add(function()
  local even, odd
  function even(n) if n == 0 then return true end; return odd(n - 1) end
  function odd(n) if n == 0 then return false end; return even(n - 1) end
  return even(9)
end)
add(function() local a, b = 7, 2; return a + b, a - b, a * b, a / b, a % b, a // b, a ^ b end)
add(function() local a = 7; return a + 1, a - 1, a * 3, a / 4, a % 5, a // 2, a ^ 2, 2 - a end)
add(function() local a, b = 7, 2; return a & b, a | b, a ~ b, a << b, a >> b, ~a end)
add(function() local a = 7; return a & 15, a | 64, a ~ 1, a << 3, a >> 1, 1 << a, 2 >> a end)
add(function() local a, s = 7, "12"; return -a, not a, #s, s + a, s * 1.5, "x" .. s .. a end)
add(function() local a, b = 1, 2; return a < b, a <= b, a > b, a >= b, a == b, a ~= b end)
add(function() local a = 5; return a < 6, a <= 5, a > 4, a >= 9, 3 < a, 3 > a, a == 5, a == 5.5 end)
add(function() local a = "x"; return a == "x", a == nil, a ~= "y", a == 1000000 end)
add(function() local a, b, c = 1, nil, false; return a and b, a or b, b or c, not (a and c), a and 2 end)
add(function() local a, n = 3, 0; while a > 0 do a = a - 1; if a == 1 then break end; n = n + 1 end; return n end)
add(function() local n = 0; repeat local done = n > 3; n = n + 1 until done; return n end)
add(function()
  local log = {}
  do
    local a <close> = setmetatable({}, { __close = function() log[#log + 1] = "a" end })
    local b <close> = nil
    local c <const> = 5
    log[#log + 1] = c
  end
  return log[1], log[2]
end)
add(function()
  local closed = 0
  local function guard() return setmetatable({}, { __close = function() closed = closed + 1 end }) end
  for i = 1, 3 do
    local g <close> = guard()
    if i == 2 then goto out end
    local h = function() return g, i end
  end
  ::out::
  return closed
end)
add(function()
  local closed
  local iterator = setmetatable({}, { __close = function() closed = true end })
  for i in function(_, i) if i < 3 then return i + 1 end end, nil, 0, iterator do
    local f = function() return i end
    if f() == 2 then break end
  end
  return closed
end)
add(function()
  local t = setmetatable({}, {
    __index = function(_, k) return k end,
    __newindex = function(t, k, v) rawset(t, k, { v }) end,
    __call = function(_, a, b) return b, a end,
    __len = function() return 42 end,
  })
  t.x = 1
  return t.x[1], t.y, #t, t(1, 2)
end)
add(function()
  local mt = {}
  mt.__add = function(a, b) return "add" end
  mt.__sub = function(a, b) return "sub" end
  mt.__mul = function(a, b) return "mul" end
  mt.__unm = function(a) return "unm" end
  mt.__concat = function(a, b) return "concat" end
  mt.__eq = function(a, b) return true end
  mt.__lt = function(a, b) return true end
  mt.__le = function(a, b) return false end
  mt.__band = function(a, b) return "band" end
  mt.__shl = function(a, b) return "shl" end
  local x, y = setmetatable({}, mt), setmetatable({}, mt)
  return x + 1, 2 - y, x * y, -x, x .. y, "s" .. y, x == y, x < 1, 1 <= y, x & 3, 1 << x
end)
add(function()
  local object = { n = 1 }
  function object:add(k) self.n = self.n + k; return self end
  return object:add(2):add(3).n
end)
add(function()
  local t = {}
  for i = 1, 60 do t[i] = i end
  return select(-1, table.unpack(t))
end)
add(function()
  local function many(...) return { ... }, { 1, 2, ... }, { ..., 3 } end
  local a, b, c = many(many(1, 2))
  return #a, #b, #c
end)
add(function()
  return { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
    52, 53, 54, 55 }
end)
add(function()
  local a, b, c = 1, 2, 3
  a, b, c = c, a, b
  local t = { 1, 2 }
  local i = 1
  i, t[i] = i + 1, 20
  return a, b, c, i, t[1]
end)
add(function()
  local words = {}
  for w in ("the quick brown fox"):gmatch("%a+") do words[#words + 1] = w:upper() end
  return table.concat(words, "-")
end)
add(function()
  local t = { 5, 2, 8, 1 }
  table.sort(t, function(a, b) return a > b end)
  return t[1], t[4]
end)
add(function() local x = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"; return #x .. x end)
add(function()
  local function outer(a)
    local function middle(b)
      return function(c) a = a + 1; b = b + a; return a + b + c end
    end
    return middle(a)
  end
  local f = outer(1)
  return f(1), f(2)
end)
add(function()
  local i = 0
  ::top::
  do
    local j = i
    local f = function() return j end
    i = f() + 1
    if i < 5 then goto top end
  end
  return i
end)
add(function()
  local x <const> = 10
  local t = {}
  for i = 1, 3 do
    if i % 2 == 0 then t[#t + 1] = { i = i, x, f = function() return i end }
    else t[#t + 1] = i > 1 and { i, i } or { i } end
  end
  return #t
end)
add(function(a) if a then local b = a.b; return b and b.c or a[1] end; return #"none", a == nil end)
add(function()
  local n, parts = 255, {}
  while n > 0 do
    local digit = n % 16
    parts[#parts + 1] = digit < 10 and digit or ("abcdef"):sub(digit - 9, digit - 9)
    n = n // 16
  end
  return table.concat(parts)
end)
add(function()
  local memo = setmetatable({}, { __mode = "k" })
  local function fib(n)
    local known = memo[n]
    if known then return known end
    local value = n < 2 and n or fib(n - 1) + fib(n - 2)
    memo[n] = value
    return value
  end
  return fib(20)
end)

return functions
