-- A protected call that fails: one error thrown and caught.
-- count: 100000
-- expect: 100000

local pcall, error = pcall, error
local caught = 0
for _ = 1, 100000 do
  local ok = pcall(error)
  if not ok then caught = caught + 1 end
end
return caught
