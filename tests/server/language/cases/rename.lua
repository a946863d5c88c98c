-- Behind `>>>>`: the new name. `⟦ ⟧`: the places that change.
==== a local with its captures
local ⟦x⟧ = 1
local function f() return ⟦x⟧ end
do local x = ⟦x‸⟧; print(x) end
>>>> y
==== a parameter
local function f(⟦a‸⟧, b) "🙂"; return ⟦a⟧ + b end
>>>> first
==== a loop variable
for ⟦i⟧ = 1, 10 do print(⟦i‸⟧) end
>>>> index
==== a label
::⟦top⟧:: goto ⟦top‸⟧
>>>> start
==== a local function
local function ⟦f⟧() return ⟦f⟧() end
⟦f‸⟧()
>>>> g
==== a global in all files
---- main.lua
⟦total‸⟧ = 1; local function f(total) return total end
---- other.lua
print(⟦total⟧)
>>>> sum
==== a global as a field of the table of all globals
function ⟦total‸⟧() end
_G.⟦total⟧(_ENV.⟦total⟧, _ENV["⟦total⟧"])
do local _ENV = { total = 1 }; print(_ENV.total) end
>>>> sum
==== a field of a global that is reached by the table of all globals
config = { ⟦depth‸⟧ = 1 }
print(_ENV.config.⟦depth⟧, _G.config.⟦depth⟧)
>>>> level
==== a field of a module in all files
---- main.lua
local m = require("m")
print(m.⟦size‸⟧, m["⟦size⟧"], n.size)
---- m.lua
local M = { ⟦size⟧ = 1 }
return M
>>>> length
==== a field of a module in brackets
---- main.lua
local m = require("m")
print((m).⟦size‸⟧, (require "m").⟦size⟧, (m["⟦size⟧"]):rep(2), (m.⟦size⟧))
---- m.lua
local M = { ⟦size⟧ = 1 }
return M
>>>> length
==== a field of what is stored
Memory.⟦users⟧ = {}
print(Memory.⟦users‸⟧[1])
>>>> people
==== the name it has
local x‸ = 1
>>>> x
==== not to a keyword
local x‸ = 1
>>>> end
error: `end` is a keyword of Lua
==== not to what is no name
local x‸ = 1
>>>> 1st
error: '1st' is no name in Lua: take letters, digits and underscores, no digit first
==== not to a name that catches the uses
local x‸ = 1
do local y = 2; print(x) end
>>>> y
error: `y` means something else already where `x` is used, at line 2
==== not to a name that would be caught
local y = 1
local function f(x‸) return y end
>>>> y
error: `y` means something else already where `x` is used, at line 2
==== not to a global that would be caught
local x‸ = 1
print(x)
>>>> print
error: `print` means something else already where `x` is used, at line 2
==== to a name that is free here
do local y = 1 end
local ⟦x‸⟧ = 1
do local y = 2 end
>>>> y
==== not to a label that there is
::x‸:: ::y:: goto x
>>>> y
error: there is a label `y` already in this function
==== not to a global that there is
---- main.lua
total‸ = 1
---- other.lua
sum = 2
>>>> sum
error: `sum` is something else already, at other.lua:1
==== not to a field that there is
local t = { a‸ = 1, b = 2 }
>>>> b
error: `t.b` is something else already, at main.lua:1
==== not a global where a local catches it
total‸ = 1
local sum = 2
print(total, sum)
>>>> sum
error: `sum` means something else already where `total` is used, at line 3
==== not the standard library
print‸(1)
>>>> show
error: `print` belongs to Lua's standard library
==== not its fields
string.format‸("x")
>>>> f
error: `string.format` belongs to Lua's standard library
==== not self
function M:f() return self‸ end
>>>> this
error: `self` is the parameter that a method has without naming it
==== not a field of something unknown
local function f(row) return row.name‸ end
>>>> id
error: nothing in the sources says what table `name` is a field of here: find its references instead
==== not where there is no name
local x = ‸1
>>>> y
error: there is no name to rename here
==== a field of one table, not of others
local a = { ⟦name⟧ = 1 }
local b = { name = 2 }
print(a.⟦name‸⟧, b.name)
>>>> title
==== a field of a class with its annotation
---- main.lua
---@class User
---@field ⟦name⟧ string
---@class Pet
---@field name string
---@param u User
---@param p Pet
function f(u, p) return u.⟦name‸⟧, p.name end
---- other.lua
---@type User
local u = { ⟦name⟧ = "x" }
print(u.⟦name⟧)
>>>> title
==== from the annotation
---@class User
---@field ⟦na‸me⟧ string
---@param u User
function f(u) return u.⟦name⟧ end
>>>> title
==== a method of a class by its metatable
local A = {}
A.__index = A
function A.new() return setmetatable({}, A) end
function A:⟦get⟧() end
A.new():⟦get‸⟧()
>>>> fetch
==== not to a field that the class has
---@class User
---@field name string
---@field age integer
---@param u User
function f(u) return u.name‸ end
>>>> age
error: `User.age` is something else already, at main.lua:3
==== not to a field that rows have
local users = ext.table("users")
users.ann = { age = 1, name = "x" }
print(users.ann.age‸)
>>>> name
error: `users[...].name` is something else already, at main.lua:2
==== not a method of strings
local s = "x"
print(s:upper‸())
>>>> up
error: `string.upper` belongs to Lua's standard library
==== not what a function is told by name
local page = ext.query("users", { limit‸ = 5 })
>>>> max
error: nothing in the sources says what table `limit` is a field of here: find its references instead
==== not the words of a schema
ext.schema("users", { fields‸ = { age = "integer" } })
>>>> columns
error: nothing in the sources says what table `fields` is a field of here: find its references instead
==== a default of what has a name
settings = settings or {}
local s = settings or { ⟦depth⟧ = 1 }
print(s.⟦depth‸⟧, settings.⟦depth⟧)
>>>> level
==== a field of rows, where questions name it, too
---- main.lua
local users = ext.table("users")
users.ann = { ⟦age⟧ = 41 }
print(ext.query("users", { where = { "⟦age‸⟧", ">", 2 }, order_by = "⟦age⟧" }), users.ann["⟦age⟧"])
---- other.lua
ext.index("users", { "name", "⟦age⟧" })
ext.schema("users", { fields = { ⟦age⟧ = { type = "integer", min = 0 } } })
>>>> years
==== no name that questions could not say so
ext.table("users").ann["age‸"] = 1
ext.index("users", "age")
>>>> of age
error: 'of age' is no name in Lua: take letters, digits and underscores, no digit first
==== not to a field that questions name
ext.table("users").ann.age‸ = 1
ext.index("users", "years")
>>>> years
error: `users[...].years` is something else already, at main.lua:2
==== not what a question about something unknown names
function f(t) return ext.query(t, { where = { "age‸", "=", 1 } }) end
>>>> years
error: nothing in the sources says what table `age` is a field of here: find its references instead
==== a field of rows, by a global that holds their table
---- main.lua
print(ext.table("users").ann.⟦age‸⟧)
---- other.lua
print(users.ann.⟦age⟧, ext.count(users, { where = { "⟦age⟧", "exists" } }))
---- third.lua
users = ext.table("users")
>>>> years
==== a field of a class, with the objects that other files make
---- main.lua
local Point = {}
Point.__index = Point
function Point:length() return self.⟦x‸⟧ end
return Point
---- other.lua
local Point = require("main")
local p = setmetatable({ ⟦x⟧ = 1, y = 2 }, Point)
print(p.⟦x⟧, q.x)
>>>> across
==== a field of rows, with other names of `ext` and questions that are put together
---- main.lua
local query, index = ext.query, ext.index
local q = { ["where"] = { "⟦age⟧", ">", 1 } }
q.order_by = '⟦age‸⟧'
for _, row in ipairs(query("users", q)) do print(row.value.⟦age⟧) end
index("users", { "name", "⟦age⟧" })
---- other.lua
local e = ext
for _, found in ipairs(e.aggregate("users", { group_by = "⟦age⟧" })) do print(found.group.⟦age⟧) end
print(e.count("pets", { where = { "age", ">", 1 } }))
>>>> years
==== what is there already by another name of `ext`
ext.table("users").ann.age‸ = 1
local index = ext.index
index("users", "years")
>>>> years
error: `users[...].years` is something else already, at main.lua:3
