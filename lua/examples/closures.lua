-- Two counters from one function: each call of `counter` makes an upvalue of its own.

local function counter(step)
  local count = 0
  return function()
    count = count + step
    return count
  end
end

local ones, tens = counter(1), counter(10)
ones()
ones()
tens()

print("ones", ones()) -- expect: ones	3
print("tens", tens()) -- expect: tens	20

return { ones = ones(), tens = tens() } -- expect: => {ones = 4, tens = 30}
