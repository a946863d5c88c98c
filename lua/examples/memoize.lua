-- A function that remembers its results remembers them for ever: its cache is an upvalue.

local calls = 0

local function memoized(f)
  local results = {}
  return function(n)
    if results[n] == nil then
      results[n] = f(n)
    end
    return results[n]
  end
end

Memory.square = Memory.square or memoized(function(n)
  calls = calls + 1
  return n * n
end)

local sum = 0
for n = 1, 100 do
  sum = sum + Memory.square(n)
end

print("computed", calls) -- expect: computed	100
-- expect again: computed	0

return sum -- expect: => 338350
