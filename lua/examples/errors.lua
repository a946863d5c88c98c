-- An error is reported at the line where it happened, with the way that led there.

local function total(order)
  local sum = 0
  for _, item in ipairs(order.items) do
    sum = sum + item.price * item.count
  end
  return sum
end

-- `pcall` catches an error and goes on; a table can be an error as well.
local ok, problem = pcall(error, { code = 42 })
print(ok, problem.code) -- expect: false	42

print(total { items = { { price = 3, count = 4 } } }) -- expect: 12
print(total { items = { { count = 1 } } })
-- expect error: 6 attempt to perform arithmetic on a nil value (field 'price')
