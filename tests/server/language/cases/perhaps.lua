-- Renaming to what stands behind `>>>>`. `⟦ ⟧`: what is asked about, for it may be the same field.
==== a field of something unknown
local a = { name = 1 }
print(a.name‸)
local function f(x, b) return x.⟦name⟧, b.title end
local b = { name = 2 }
print(b.name)
>>>> title
==== in other files, too
---- main.lua
---@class User
---@field name‸ string
---- other.lua
function f(x) return x.⟦name⟧ end
---@class Pet
---@field name string
---@param p Pet
function g(p) return p.name end
>>>> title
==== what overrides a method, or is overridden
local Base = {}
Base.__index = Base
function Base:draw‸() end
local A = setmetatable({}, { __index = Base })
A.__index = A
function A:⟦draw⟧() end
setmetatable({}, A):⟦draw⟧()
local Other = {}
Other.__index = Other
function Other:draw() end
>>>> paint
==== a global is only itself
total‸ = 1
print(t.total, total)
>>>> sum
==== nothing but what is certain
local a = { name = 1 }
print(a.name‸)
>>>> title
==== what a question names that may be about the same rows
ext.table("users").ann.age‸ = 1
local question = { where = { "⟦age⟧", ">", 1 } }
function f(t) return ext.query(t, { order_by = "⟦age⟧" }), ext.query("pets", { order_by = "age" }) end
>>>> years
==== no question is about a table without a name in the store
local t = { age‸ = 1 }
function f(x) return ext.query(x, { order_by = "age" }), { max = "age" } end
>>>> years
==== rows of what may have other fields, too
Memory.users.ann.⟦age⟧ = 1
Memory.users.ann.pet.age = 1
for _, user in pairs(Memory.users) do print(user.age‸) end
>>>> years
==== an element, by its name
function f(id) return users[id].age‸, users.ann.⟦age⟧, users.age, pets.ann.age end
>>>> years
==== a part of a question that is given to somebody
ext.table("users").ann.age‸ = 1
function f(t, q) q.order_by = "⟦age⟧" return ext.query(t, q) end
function g(t) local q = {} q.where = { "⟦age⟧", ">", 1 } return t:find(q) end
config.order_by, config.max = "age", "age"
function Sorter:init() self.order_by = "age" end
>>>> years
