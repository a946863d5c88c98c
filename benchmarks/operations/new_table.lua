-- A table of three fields, made and dropped.
-- count: 300000
-- expect: 300000

local sum = 0
for i = 1, 300000 do
  local t = { x = i, y = i, z = 1 }
  sum = sum + t.z
end
return sum
