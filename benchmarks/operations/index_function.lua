-- An access that an `__index` function answers.
-- count: 300000
-- expect: 300000

local t = setmetatable({}, { __index = function() return 1 end })
local sum = 0
for i = 1, 300000 do sum = sum + t[i] end
return sum
