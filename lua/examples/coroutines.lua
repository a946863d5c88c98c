-- A generator: the coroutine keeps its place between two values.

local function fibonacci()
  return coroutine.wrap(function()
    local a, b = 0, 1
    while true do
      coroutine.yield(a)
      a, b = b, a + b
    end
  end)
end

local numbers = {}
for n in fibonacci() do
  if n > 50 then break end
  numbers[#numbers + 1] = n
end

print(table.concat(numbers, " ")) -- expect: 0 1 1 2 3 5 8 13 21 34

-- Values go both ways: what `resume` passes in is what `yield` gives back.
local echo = coroutine.create(function(first)
  local second = coroutine.yield(first .. "!")
  return second .. "?"
end)

print(coroutine.resume(echo, "hello")) -- expect: true	hello!
print(coroutine.resume(echo, "really")) -- expect: true	really?
print(coroutine.resume(echo)) -- expect: false	cannot resume dead coroutine

return coroutine.status(echo) -- expect: => "dead"
