-- A traffic light: its states are functions, and the present one is stored as it is.

Memory.light = Memory.light or {}
local light = Memory.light

local red, green, yellow

function red() return "red", green end
function green() return "green", yellow end
function yellow() return "yellow", red end

light.state = light.state or red

for _ = 1, 4 do
  local color
  color, light.state = light.state()
  print(color) -- expect: red
  -- expect again: green
  -- expect: green
  -- expect again: yellow
  -- expect: yellow
  -- expect again: red
  -- expect: red
  -- expect again: green
end

return light.state == red, light.state == green -- expect: => false, true
-- expect again: => false, false
