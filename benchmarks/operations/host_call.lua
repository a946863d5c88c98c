-- A call that leaves the VM: the host answers os.clock. (Native Lua asks the operating system.)
-- count: 100000
-- expect: 100000

local clock = os.clock
local earlier, in_order = 0, 0
for _ = 1, 100000 do
  local now = clock()
  if now >= earlier then in_order = in_order + 1 end
  earlier = now
end
return in_order
