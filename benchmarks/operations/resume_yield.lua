-- One resume with its yield.
-- count: 200000
-- expect: 200000

local resume, yield = coroutine.resume, coroutine.yield
local co = coroutine.create(function()
  while true do yield(1) end
end)
local sum = 0
for _ = 1, 200000 do
  local _, value = resume(co)
  sum = sum + value
end
return sum
