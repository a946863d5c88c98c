-- Many trees built and dropped while one lives long: the allocator and the collector.
-- expect: 32767 4096 126976 1024 130048 256 130816 64 131008

local function build(depth)
  if depth == 0 then return {} end
  return { build(depth - 1), build(depth - 1) }
end

local function count(tree)
  local left = tree[1]
  if not left then return 1 end
  return 1 + count(left) + count(tree[2])
end

local depth_max = 14
local long_lived = build(depth_max)
local report = {}
for depth = 4, 10, 2 do
  local trees = 1 << (depth_max - depth + 2)
  local nodes = 0
  for _ = 1, trees do nodes = nodes + count(build(depth)) end
  report[#report + 1] = trees .. " " .. nodes
end
return count(long_lived) .. " " .. table.concat(report, " ")
