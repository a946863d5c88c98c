-- A short new string, concatenated of a string and an integer.
-- count: 300000
-- expect: 1688895

local length = 0
for i = 1, 300000 do length = length + #("k" .. i) - 1 end
return length
