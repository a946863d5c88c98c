-- Two functions share a variable, wherever they are stored, and go on sharing it.

if not Memory.heater then
  local degrees = 20
  Memory.heater = {
    warmer = function(by) degrees = degrees + by end,
  }
  Memory.thermometer = function() return degrees end
end

print(Memory.thermometer()) -- expect: 20
-- expect again: 23

Memory.heater.warmer(3)

return Memory.thermometer() -- expect: => 23
-- expect again: => 26
