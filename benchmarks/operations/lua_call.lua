-- A call of a Lua function that does nothing, with its return.
-- count: 1000000
-- expect: 1000000

local function identity(x) return x end
local sum = 0
for _ = 1, 1000000 do sum = sum + identity(1) end
return sum
