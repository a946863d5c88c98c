-- A module: everything local, one table returned.

local shapes = {}

local Shape = {}
Shape.__index = Shape
Shape.__tostring = function(self) return self.name end

function Shape:area() return self.compute() end

local function shape(name, compute)
  return setmetatable({ name = name, compute = compute }, Shape)
end

function shapes.square(side)
  return shape("square", function() return side * side end)
end

function shapes.circle(radius)
  return shape("circle", function() return math.pi * radius ^ 2 end)
end

return shapes
