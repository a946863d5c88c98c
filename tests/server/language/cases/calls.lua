-- The function at the cursor; who calls it, and what it calls, with the rows.
==== in one file
local function helper() end
local function work‸()
  helper()
  helper()
  print("x")
end
local function twice()
  work()
  return work
end
work()
>>>>
work Function
from twice 7
from main.lua 10
to helper 2,3
==== across modules
---- main.lua
local m = require("m")
function run()
  m.f‸()
end
---- m.lua
local M = {}
local function inner() end
function M.f() inner() end
return M
>>>>
M.f Function
from run 2
to inner 2
==== methods
local M = {}
function M:a() self:b‸() end
function M:b() self:a() end
>>>>
M:b Method
from M:a 1
to M:a 2
==== no function
local x‸ = 1
>>>>
nothing
==== methods of objects
---- main.lua
local A = require("a")
local a = A.new()
function run() a:go‸() end
local function other(x) x:go() end
---- a.lua
local A = {}
A.__index = A
function A.new() return setmetatable({}, A) end
function A:go() self:step() end
function A:step() end
return A
>>>>
A:go Method
from run 2
to A:step 3
