-- A call of a small function of the standard library.
-- count: 1000000
-- expect: 1000000

local rawlen = rawlen
local sum = 0
for _ = 1, 1000000 do sum = sum + rawlen("x") end
return sum
