-- `⟦ ⟧`: all references of the name at the cursor, its declaration included.
==== a local, not those that hide it
local ⟦x⟧ = 1
do local x = ⟦x‸⟧ end
==== a local with its uses in inner functions
local ⟦x⟧ = 1
⟦x⟧ = ⟦x‸⟧ + 1
local function f(y) return ⟦x⟧ + t.x end
==== a parameter
local function f(⟦a⟧, b) return ⟦‸a⟧ + b, { a = ⟦a⟧ } end
==== a label and its jumps
do
  ::⟦top‸⟧::
  goto ⟦top⟧
end
::top::
==== a global in all files
---- main.lua
⟦total⟧ = 1
print(⟦total‸⟧)
local function f(total) return total end
---- other.lua
⟦total⟧ = ⟦total⟧ + 1
print(t.total, _G.⟦total⟧)
==== a field of a global
---- main.lua
config = { ⟦depth⟧ = 1 }
print(config.⟦depth‸⟧, other.depth)
---- other.lua
local c = config
c["⟦depth⟧"] = 2
==== a field of a module
---- main.lua
local m = require("m")
m.⟦f‸⟧()
other.f()
---- m.lua
local M = {}
function M.⟦f⟧() return M.⟦f⟧ end
return M
---- third.lua
local m = require("m")
print(m.⟦f⟧)
==== a method
local M = {}
function M:⟦f⟧() return self:⟦f‸⟧() end
M.⟦f⟧(M)
==== a field of a parameter: uses of the name on what is as unknown, in the document
local function f(row) return row.⟦name‸⟧, row.id end
local function g(row) return row.⟦name⟧ end
local t = { name = 1 }
==== without its declaration
local x = 1
print(⟦x‸⟧)
>>>> without declaration
==== a global that is also written as a field
_G.⟦total⟧ = 1
print(⟦total‸⟧, _G["⟦total⟧"], t.total)
