-- Functions made in loops, held, composed and called through: upvalues shared and private.
-- expect: 135180150000 1600000 5400001

local function counter(step)
  local n = 0
  return function()
    n = n + step
    return n
  end, function() return n end
end

local function compose(f, g)
  return function(x) return f(g(x)) end
end

local function map(list, f)
  local result = {}
  for i = 1, #list do result[i] = f(list[i]) end
  return result
end

local function fold(list, f, start)
  local value = start
  for i = 1, #list do value = f(value, list[i]) end
  return value
end

local list = {}
for i = 1, 1000 do list[i] = i end

local total = 0
for round = 1, 300 do
  local shift = function(x) return x + round end
  local scaled = map(list, compose(shift, function(x) return x * 900 end))
  total = total + fold(scaled, function(a, b) return a + b end, 0)
end

local bump, read = counter(4)
for _ = 1, 400000 do bump() end

local made = 0
for i = 1, 200000 do
  local add = function(x) return x + i % 3 end
  made = made + add(26)
end
return total .. " " .. read() .. " " .. made
