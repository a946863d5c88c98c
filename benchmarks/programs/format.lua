-- Numbers to text and back: string.format, tostring, tonumber; integers, floats, hexadecimals.
-- expect: 48000 0 793102

local same, different = 0, 0
local function check(ok)
  if ok then same = same + 1 else different = different + 1 end
end

local length = 0
for i = 1, 12000 do
  local x = (i - 6000) * 1.37 / (i % 113 + 1)
  check(tonumber(("%.17g"):format(x)) == x)
  check(math.abs(tonumber(tostring(x)) - x) <= math.abs(x) * 1e-13)
  check(tonumber(("%d"):format(i * 7919)) == i * 7919)
  check(tonumber(("0x%x"):format(i * 31)) == i * 31)
  length = length + #("%5d|%-8s|%08.3f|%+e|%q"):format(i, "name" .. i % 10, x, x * 1e10, "a\n" .. i)
  length = length + #(i .. "," .. x)
end
return same .. " " .. different .. " " .. length
