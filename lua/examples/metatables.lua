-- Metatables are stored with the tables that have them: operators work on what comes back.

local Vector = Memory.Vector or {}
Memory.Vector = Vector

local function vector(x, y)
  return setmetatable({ x = x, y = y }, Vector)
end

function Vector.__add(a, b) return vector(a.x + b.x, a.y + b.y) end
function Vector.__eq(a, b) return a.x == b.x and a.y == b.y end
function Vector.__tostring(v) return "(" .. v.x .. ", " .. v.y .. ")" end

Memory.position = (Memory.position or vector(0, 0)) + vector(3, 4)
print(tostring(Memory.position)) -- expect: (3, 4)
-- expect again: (6, 8)

return Memory.position == vector(3, 4) -- expect: => true
-- expect again: => false
