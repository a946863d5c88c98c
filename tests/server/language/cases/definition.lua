-- `⟦ ⟧`: where the name at the cursor is defined.
==== a local
local ⟦x⟧ = 1
print(x‸)
==== a shadowed local
local ⟦x⟧ = 1
do local x = 2 end
return x‸
==== the local that is captured
local ⟦x⟧ = 1
local function f() return function() return ‸x end end
==== a parameter, with characters of two units before it
local s = "🙂"; local function f(⟦a⟧) return "🙂", a‸ end
==== a local function in itself
local function ⟦fact⟧(n) return n * fact‸(n - 1) end
==== a loop variable
for _, ⟦row⟧ in ipairs(rows) do print(row‸.name) end
==== a label
::⟦again⟧::
goto again‸
==== the object of a method for self
local M = {}
function ⟦M⟧:f() return self‸ end
==== a global, defined below
print(total‸)
⟦total⟧ = 1
==== a global function in another file
---- main.lua
helper‸()
---- other.lua
function ⟦helper⟧() end
==== each place where a global gets a value, own ones first
---- main.lua
⟦count⟧ = 0
print(count‸)
---- other.lua
⟦count⟧ = 1
==== a field of a global table
config = { ⟦depth⟧ = 1 }
print(config.depth‸)
==== a field that is assigned
local M = {}
M.⟦name⟧ = "m"
print(M.name‸)
==== a function in a local table
local M = {}
function M.⟦f⟧() end
M.f‸()
==== a method
local M = {}
function M:⟦f⟧() end
M:f‸()
==== a method by self
local M = {}
function M:⟦f⟧() end
function M:g() return self:f‸() end
==== a field by an alias
local M = { inner = {} }
M.inner.⟦value⟧ = 1
local alias = M.inner
print(alias.value‸)
==== a key in brackets
local t = { ["⟦a b⟧"] = 1 }
print(t["a b‸"])
==== fields of tables of the same name in other scopes are others
local t = { ⟦a⟧ = 1 }
do local t = { a = 2 } end
print(t.a‸)
==== a table with a metatable
local M = setmetatable({ ⟦a⟧ = 1 }, {})
print(M.a‸)
==== the module that is required
---- main.lua
local m = require("m‸")
---- m.lua
⟦⟧return {}
==== a local that is a module leads to it from its declaration
---- main.lua
local ‸m = require("lib.m")
---- lib/m.lua
⟦⟧return {}
==== a function of a module
---- main.lua
local m = require("m")
m.f‸()
---- m.lua
local M = {}
function M.⟦f⟧() end
return M
==== a function of a module that returns a table without a name
---- main.lua
local m = require "m"
m.f‸()
---- m.lua
return { ⟦f⟧ = function() end, g = 1 }
==== a field of a module, without a local
---- main.lua
require("m").f‸()
---- m.lua
local M = {}
M.⟦f⟧ = function() end
return M
==== a module in a folder
---- main.lua
local m = require("lib.deep")
m.f‸()
---- lib/deep/init.lua
local M = {}
function M.⟦f⟧() end
return M
==== a module that hands on another
---- main.lua
local m = require("m")
m.f‸()
---- m.lua
return require("n")
---- n.lua
local N = {}
function N.⟦f⟧() end
return N
==== a field of something unknown: by its name
local function make() end
local o = make()
function o2.⟦area⟧() end
print(x[1].area‸)
==== half-typed code
local ⟦x⟧ = 1
local function f(
  if x‸ then
==== nothing at all
print(‸1)
==== what nobody defines
print(undefined_global‸)
==== a global that is set as a field
_G.⟦total⟧ = 1
print(total‸, _G.other)
==== a method of an object
local A = {}
A.__index = A
function A.new() return setmetatable({}, A) end
function A:⟦get⟧() end
local B = {}
function B:get() end
A.new():get‸()
==== a field that a constructor function sets
local A = {}
A.__index = A
function A.new(x) return setmetatable({ ⟦x⟧ = x }, A) end
local a = A.new()
print(a.x‸)
==== what is inherited from a class of another file
---- main.lua
local Base = require("base")
local A = setmetatable({}, { __index = Base })
A.__index = A
function A:g() self:f‸() end
---- base.lua
local Base = {}
Base.__index = Base
function Base:⟦f⟧() end
return Base
==== a field of an annotated class
---@class User
---@field ⟦name⟧ string
---@param u User
function f(u) return u.name‸ end
==== a field of a row, in its schema
ext.schema("users", { fields = { ⟦age⟧ = "integer" } })
for _, user in pairs(ext.table("users")) do print(user.age‸) end
==== a field of the tables in a list
local list = { { ⟦id⟧ = 1 }, { ⟦id⟧ = 2 } }
for _, one in ipairs(list) do print(one.id‸) end
==== of a field that a question names: where rows get it
---- main.lua
ext.query("users", { where = { "age‸", "=", 1 } })
---- other.lua
ext.table("users").ann = { ⟦age⟧ = 1 }
print(ext.table("users").ann.age)
ext.table("pets").rex = { age = 1 }
