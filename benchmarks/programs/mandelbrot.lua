-- The area of the Mandelbrot set by counting: tight float loops on locals alone.
-- expect: 9906

local size, iterations_max = 160, 100
local inside = 0
for py = 0, size - 1 do
  local ci = 2.0 * py / size - 1.0
  for px = 0, size - 1 do
    local cr = 2.0 * px / size - 1.5
    local zr, zi, zr2, zi2 = 0.0, 0.0, 0.0, 0.0
    local n = 0
    while n < iterations_max and zr2 + zi2 <= 4.0 do
      zi = 2.0 * zr * zi + ci
      zr = zr2 - zi2 + cr
      zr2, zi2 = zr * zr, zi * zi
      n = n + 1
    end
    if n == iterations_max then inside = inside + 1 end
  end
end
return inside
