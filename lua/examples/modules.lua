-- `require` finds modules in the workspace folder: this one is modules/shapes.lua.

local shapes = require("modules.shapes")

local figures = { shapes.square(3), shapes.circle(1) }
for _, figure in ipairs(figures) do
  print(string.format("%s %.2f", figure, figure:area())) -- expect: square 9.00
  -- expect: circle 3.14
end

-- A module runs once; whoever requires it again gets the same table.
return shapes == require("modules.shapes") -- expect: => true
