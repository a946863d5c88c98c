-- A protected call that succeeds.
-- count: 300000
-- expect: 300000

local pcall = pcall
local function identity(x) return x end
local sum = 0
for _ = 1, 300000 do
  local _, value = pcall(identity, 1)
  sum = sum + value
end
return sum
