-- `first-last kind`: rows that fold to the first; the row with `end` stays.
==== functions, blocks, tables
function f(a)
  if a then
    g()
  elseif b then
    h()
  else
    i()
  end
  for i = 1, 2 do
    j()
  end
end
local t = {
  1,
  {
    2,
  },
}
repeat
  x()
until y
one = function() return 1 end
>>>>
0-10
1-2
3-4
5-6
8-9
12-16
14-15
18-19
==== comments and regions
-- one
-- two
local x = 1 -- three
-- four
--region Setup
x = 2
--[[
a block
]]
--endregion
local s = [[
-- not a comment
-- nor this
]]
>>>>
0-1 comment
4-9 region
6-8 comment
10-13
==== what is not closed
function f()
  g()
  h()
>>>>
0-2
