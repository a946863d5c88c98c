-- The outline: `name detail: Kind rows`.
==== functions, methods, locals, fields
local M = { answer = 42, nested = { deep = "🙂" } }
local a, b <const> = 1, 2
function M.f(x, ...)
  local function inner() end
  local hidden = 1
end
function M:g() end
M.h = function(y)
end
local function helper() end
total = 0
return M
>>>>
M: Object 0-0
  answer 42: Field 0-0
  nested: Object 0-0
    deep "🙂": Field 0-0
a 1: Variable 1-1
b 2: Constant 1-1
M.f (x, ...): Function 2-5
  inner (): Function 3-3
M:g (): Method 6-6
M.h (y): Function 7-8
helper (): Function 9-9
total 0: Variable 10-10
==== what is returned, and modules
local json = require("json")
return {
  parse = function(text) end,
  ["a b"] = 1,
  [1] = 2,
}
>>>>
json: Module 0-0
parse (text): Function 2-2
a b 1: Field 3-3
1 2: Field 4-4
==== functions in calls and blocks
describe("x", function()
  local function helper() end
  it("works", function() end)
end)
if debug then
  local level = 1
  function trace() end
end
>>>>
helper (): Function 1-1
level 1: Variable 5-5
trace (): Function 6-6
==== tables without a name: only their functions
function f()
  Memory.x = { a = 1, run = function() end }
  g({ b = 2 })
end
>>>>
f (): Function 0-3
  run (): Function 1-1
==== half-typed code
local x =
function f(a
  local y = {
function g() end
>>>>
x: Variable 0-0
f (a): Function 1-2
g (): Function 3-3
==== a function that is being typed above another
local function one()
  if x then

function two()
end
>>>>
one (): Function 0-1
two (): Function 3-4
