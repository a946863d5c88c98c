-- Sources that make the compiler use its rarer instructions, and large functions. Returns them by name.

local sources = {}

local function add(name, source) sources[name] = source end

-- `pattern` for each number, where %d stands for it.
local function each(first, last, pattern, separator)
  local parts = {}
  for n = first, last, first <= last and 1 or -1 do
    parts[#parts + 1] = pattern:gsub("%%d", tostring(n))
  end
  return table.concat(parts, separator or "\n")
end

add("many constants", "do " .. each(1, 190, "local x%d = { %d.5, 'text %d', %d00000 }") .. " end")
add("more constants than a register number", each(1, 400, "x = y%d; z = x + %d.25; w = x.f%d"))
add("more constants than LOADK has bits for", "return {" .. each(1, 140000, "%d.25", ",") .. "}")
add("a method whose name is a late constant",
  "local a = { '" .. each(1, 300, "s%d", "','") .. "' }; a:go(); a:go('x', ...); return a:go()")
add("a method whose name is a very late constant",
  "local a = {" .. each(1, 140000, "%d.25", ",") .. "}; a:go(); return a:go(...)")
add("long jumps", "while a do if b then " .. each(1, 60000, "x = a.b.c[d]") .. " end end")
add("a function of a million bytes", each(1, 50000, "x = x + %d.25 * y"))
add("200 local variables", each(1, 199, "local a%d") .. "\nreturn a1 + a199")
add("all registers", "return f(" .. each(1, 240, "g()", ",") .. ")")
add("a long concatenation", "return " .. each(1, 180, "a", "..") .. "")
add("nils", "return {" .. ("nil,"):rep(100000) .. "}")
add("255 upvalues", each(1, 199, "local u%d = 1") .. "\nreturn function() "
  .. each(1, 55, "local w%d = 1") .. "\nreturn function() return { " .. each(1, 199, "u%d", ",")
  .. "," .. each(1, 55, "w%d", ",") .. " } end end")
add("nested functions", ("local function f() "):rep(190) .. (" end"):rep(190))
add("nested blocks", ("do local x = {...}; "):rep(150) .. ("end "):rep(150))
add("nested tables", "return " .. ("{ 1, x = "):rep(120) .. "{}" .. ("}"):rep(120))
add("nested loops", each(1, 40, "for i%d = 1, 2 do local f = function() return i%d end")
  .. ("\nend"):rep(40))
add("jumps forward", each(1, 2000, "if x%d then goto M%d end")
  .. each(2000, 1, "\ndo local z = function() return z end end ::M%d::", ""))
add("jumps back", each(1, 1500, [[::L%d:: do
  local q, r = x%d, 2
  f = function() return q end
  for k = 1, r do local t = { k, q, function() return k end } end
  if q then goto L%d end
end]]))
add("jumps to what comes before, one after the other", "local a = 1\ngoto L1\n"
  .. each(1500, 2, "::L%d:: do local q = a; f = function() return q end; if q then goto E end end")
  .. "\n::L1:: if a then goto L2 end ::E::")
add("captured, closed and looped registers", [[
  local function f(...)
    for k, v in pairs(...) do
      local x <close> = k
      local y = function() return x, v, k end
      while y do
        local z <close> = v
        if z then break elseif k then goto continue end
        repeat
          local q <close> = y
          local qq = function() return q end
        until q == z and qq
      end
      do local a <close> = 1; do local b = 2; f = function() return b end end end
      ::continue::
    end
    for i = 1, 10 do
      local t = { 1, 2, i, f(), { g = function() return i end, ... }, ... }
      for j = i, 3 do f = function() return j end end
      for j = 1, 2 do end
    end
  end
]])
add("registers that are used again", [[
  do local a = 1; do local b = 2; f = function() return b end end end
  for i = 1, 10 do end
  do local c, d; local function q() return d end for i = 1, 3 do local z = function() return i end end end
  for i = 1, 2 do for j = 1, 3 do end end
  local t = { 1, 2, 3 }
  return f(t), { f(t) }
]])
add("many captured, closed and looped registers", "do " .. each(1, 150, [[
  local c%d <close> = nil
  local d = function() return c%d end
  for i = 1, 2 do local t = { i, 1 } do local e = i; local g = function() return e end end end
  %d]]):gsub("(%d+)\n", function(n) return n % 20 == 0 and "end do\n" or "\n" end):gsub("%d+$", "")
  .. " end")
add("every operator with every kind of operand", [[
  local a, b, c, d = ...
  return a + b, a + 1, 1 + a, a + 1.5, a + 1000, a - 1, 1 - a, a * 2, 2 * a, a / 2, a % 3, a // 4, a ^ 2,
    a & 1, 1 & a, a | 2.0, a ~ 4, a << 1, 1 << a, a >> 1, 1 >> a, a << b, a >> 1000, -a, ~a, #a, not a,
    a .. b .. c, a == 1, a == 1.5, a == "x", a == nil, a == true, a ~= b, a < 1, a <= 1, a > 1, a >= 1,
    1 < a, 1.0 <= a, a < b, a <= b, a and b, a or b, a and b or c, not (a and b), (a or b) and (c or d)
]])

return sources
