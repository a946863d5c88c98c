-- Coroutine switching: a generator, a pipeline of three, a round-robin of many, short-lived ones.
-- expect: 5000050000 40000 30000 5000

local function range(n)
  return coroutine.wrap(function()
    for i = 1, n do coroutine.yield(i) end
  end)
end

local sum = 0
for i in range(100000) do sum = sum + i end

local function filter(source, keep)
  return coroutine.wrap(function()
    for value in source do
      if keep(value) then coroutine.yield(value) end
    end
  end)
end
local passed = 0
local thirds_dropped = filter(range(60000), function(x) return x % 3 ~= 0 end)
for _ in filter(thirds_dropped, function() return true end) do
  passed = passed + 1
end

local tasks, steps = {}, 0
for i = 1, 100 do
  tasks[i] = coroutine.create(function()
    for _ = 1, 299 do coroutine.yield() end
  end)
end
while #tasks > 0 do
  for i = #tasks, 1, -1 do
    steps = steps + 1
    assert(coroutine.resume(tasks[i]))
    if coroutine.status(tasks[i]) == "dead" then table.remove(tasks, i) end
  end
end

local short = 0
for _ = 1, 5000 do
  local co = coroutine.create(function(x) return coroutine.yield(x) end)
  coroutine.resume(co, 1)
  local _, value = coroutine.resume(co, 1)
  short = short + value
end
return table.concat({ sum, passed, steps, short }, " ")
