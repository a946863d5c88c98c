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
==== fields of other tables of that name are others
local a = { ⟦name⟧ = 1 }
local b = { name = 2 }
print(a.⟦name‸⟧, b.name, c.name)
==== a field of a class, wherever something is of it
---- main.lua
---@class User
---@field ⟦name⟧ string
---@field boss User
local User = {}
function User:greet() return self.⟦name⟧ end
---@param u User
function f(u, v)
  return u.⟦name‸⟧, u.boss.⟦name⟧, v.name
end
---- other.lua
---@param users User[]
function g(users)
  for _, one in ipairs(users) do print(one.⟦name⟧, one.other.name) end
  ---@type User
  local new = { ⟦name⟧ = "x", boss = { ⟦name⟧ = "y" } }
end
---@return User
function make() return { ⟦name⟧ = "x" } end
g({ { ⟦name⟧ = "x" } })
==== from its annotation
---@class User
---@field ⟦na‸me⟧ string
---@class Other
---@field name string
---@param u User
function f(u) return u.⟦name⟧ end
==== an inherited field is of the class that declares it
---@class Base
---@field ⟦name⟧ string
---@class User: Base
---@param u User
---@param b Base
function f(u, b) return u.⟦name‸⟧, b.⟦name⟧ end
==== an object of a class by its metatable
local A = {}
A.__index = A
function A.new(x)
  local self = setmetatable({ ⟦x⟧ = x }, A)
  self.⟦x⟧ = x
  return self
end
function A:get() return self.⟦x⟧ end
local a = A.new(1)
print(a.⟦x‸⟧, A.new(2).⟦x⟧, b.x)
==== a method that is called of objects
---- main.lua
local A = require("a")
local one = A.new()
one:⟦get‸⟧()
local function f(a) a:get() end
---- a.lua
local A = {}
A.__index = A
function A.new() return setmetatable({}, A) end
function A:⟦get⟧() return self:⟦get⟧() end
return A
==== a method that is inherited
local Base = {}
Base.__index = Base
function Base:⟦f⟧() end
local A = setmetatable({}, { __index = Base })
A.__index = A
function A:g() self:⟦f‸⟧() end
local B = setmetatable({}, { __index = Base })
B.__index = B
function B:f() self:f() end
==== an object that a field holds
local A = {}
A.__index = A
function A:⟦run⟧() end
local B = {}
B.__index = B
function B.new()
  local self = setmetatable({}, B)
  self.a = setmetatable({}, A)
  self.a:⟦run⟧()
  return self
end
function B:go() local a = self.a; a:⟦run⟧() end
B.new().a:⟦run‸⟧()
==== what a function makes without a name
local function make() return { ⟦zip⟧ = 1 } end
local m = make()
print(m.⟦zip‸⟧, make().⟦zip⟧, n.zip)
==== tables in a list
local list = { { ⟦id⟧ = 1 }, { ⟦id⟧ = 2 } }
for _, one in ipairs(list) do print(one.⟦id‸⟧) end
print(list[1].⟦id⟧, list.id)
==== fields of stored rows
---- main.lua
local users = ext.table("users")
users.ann = { ⟦age⟧ = 41 }
users.ann.⟦age⟧ = 42
for _, user in pairs(users) do print(user.⟦age‸⟧) end
---- other.lua
for _, row in ipairs(ext.query("users", {})) do print(row.value.⟦age⟧, row.age) end
ext.schema("users", { fields = { ⟦age⟧ = "integer" } })
ext.schema("pets", { fields = { age = "integer" } })
print(ext.table("pets").rex.age)
==== what a callback is given
---@class User
---@field ⟦name⟧ string
---@param f fun(u: User)
local function each(f) end
each(function(u) print(u.⟦name‸⟧, v.name) end)
==== by a default
---@class User
---@field ⟦name⟧ string
---@param u? User
function f(u)
  local one = u or {}
  return one.⟦name‸⟧
end
==== a default that is its own
config = config or { ⟦depth⟧ = 1 }
local c = config
print(c.⟦depth‸⟧, config.⟦depth⟧)
==== the type above several locals is that of the first
---@class User
---@field ⟦name⟧ string
---@type User
local a, b = { ⟦name⟧ = 1 }, { name = 2 }
print(a.⟦name‸⟧, b.name)
==== fields that questions and indexes name
---- main.lua
local users = ext.table("users")
users.ann = { ⟦age⟧ = 41, name = "Ann" }
ext.index("users", "⟦age⟧")
ext.index(users, { "name", "⟦age⟧" }, { unique = true })
ext.drop_index "age"
print(users.ann.⟦age‸⟧)
for _, row in ipairs(ext.query(users, {
  where = { { "⟦age⟧", ">", 25 }, { any = { { "name", "=", "age" }, { "⟦age⟧", "missing" } } } },
  order_by = { "name", { field = "⟦age⟧", descending = true } },
  select = { "name", "⟦age⟧" },
})) do print(row) end
---- other.lua
print(ext.count("users", { where = { "⟦age⟧", "<", 3 } }), ext.count("pets", { where = { "age", "<", 3 } }))
print(ext.aggregate("users", { group_by = "⟦age⟧", sum = '⟦age⟧', where = { none = { "⟦age⟧", "=", "age" } } }))
print(ext.explain("users", { order_by = { field = "⟦age⟧" }, limit = 3 }))
==== from the text in a question, nested and in brackets
---- main.lua
ext.query("users", { where = { "address.⟦ci‸ty⟧", "=", "Rome" }, order_by = "city" })
ext.index("users", { "address.⟦city⟧", '["address"].⟦city⟧', 'address["⟦city⟧"]' })
print(ext.table("users").ann.address.⟦city⟧, ext.table("users").ann.city)
==== the tables on the way to a field
local users = ext.table("users")
users.ann = { ⟦address⟧ = { city = "Rome" } }
ext.query("users", { where = { "⟦address‸⟧.city", "=", "Rome" } })
==== elements of a list
local users = ext.table("users")
print(users.ann.pets[1].⟦age‸⟧, users.ann.age)
ext.query("users", { order_by = "pets[1].⟦age⟧", select = "@value" })
==== operations of a batch
ext.batch {
  { op = "set", table = "users", key = "ann", value = { ⟦age⟧ = 41, age_of = { age = 1 } } },
  { op = "query", table = "users", where = { "⟦age⟧", ">=", 30 }, order_by = "⟦age⟧" },
  { op = "query", table = "pets", where = { "age", ">=", 30 } },
}
ext.batch { { op = "update", table = ext.table("users"), key = 1, value = { ⟦age⟧ = 1 } }, { age = 1 } }
print(ext.table("users").ann.⟦age‸⟧)
==== a question that a local holds
local question = { where = { "⟦age⟧", ">", 1 }, order_by = "⟦age⟧" }
print(ext.query("users", question), ext.count("users", question))
local other = { where = { "age", ">", 1 } }
print(ext.query("users", other), ext.query("pets", other))
print(ext.table("users").ann.⟦age‸⟧)
==== fields of what Memory has
Memory.⟦users⟧ = {}
ext.index("Memory", "⟦users⟧.age")
print(Memory.⟦users‸⟧)
==== an index of Memory is one of a table in it
ext.index("Memory", "users.⟦age‸⟧")
ext.index("Memory.users", "⟦age⟧")
for _, user in pairs(Memory.users) do print(user.⟦age⟧) end
==== half typed
local users = ext.table("users")
print(users.ann.⟦age‸⟧)
ext.query("users", { where = { { "⟦age⟧", ">" }, { "name", "=", f(1, { "age" }) }, { "⟦age⟧
==== a global that holds a table of the store, in another file
---- main.lua
print(users.ann.⟦age‸⟧, users[1].⟦age⟧, ext.table("users").bob.⟦age⟧, ext.table("pets").rex.age)
for _, user in pairs(users) do print(user.⟦age⟧) end
ext.index(users, "⟦age⟧")
local function f(users) return users.ann.age end
---- other.lua
users = ext.table("users")
local all = users
all.ann = { ⟦age⟧ = 41 }
---- third.lua
function g() return _G.users.ann.⟦age⟧ end
==== a global with a default, or set by a local
---- main.lua
users = users or ext.table("users")
local t = ext.table("pets")
pets = t
print(users.ann.⟦age‸⟧, pets.rex.age, ext.table("users").ann.⟦age⟧)
---- other.lua
_G.users = nil
==== a global that may be something else, too
---- main.lua
users = ext.table("users")
print(users.ann.⟦age‸⟧, ext.table("users").ann.age)
---- other.lua
function reset() users = load_users() end
==== globals that hold different tables
---- main.lua
users = ext.table("users")
print(users.ann.age, ext.table("users").ann.⟦age‸⟧)
---- other.lua
users = ext.table("other users")
==== a field that holds a table of the store
---- main.lua
local db = require("db")
print(db.users.ann.⟦age‸⟧, ext.table("users").ann.⟦age⟧, db.pets.rex.age)
---- db.lua
local M = { pets = ext.table("pets") }
M.users = ext.table("users")
function M.birthday(id) M.users[id].⟦age⟧ = M.users[id].⟦age⟧ + 1 end
return M
==== a module that is a table of the store
---- main.lua
local users = require("users")
users.ann = { ⟦age⟧ = 41 }
print(users.ann.⟦age‸⟧, ext.query("users", { order_by = "⟦age⟧" })[1].value.⟦age⟧)
---- users.lua
return ext.table("users")
---- third.lua
for _, user in pairs(require("users")) do print(user.⟦age⟧) end
==== a field of the store that is a table of its own is one thing
---- main.lua
Memory.shop = {}
shop = Memory.shop
print(shop.⟦open‸⟧, Memory.shop.⟦open⟧, Memory.open)
==== a method that objects of another file have
---- main.lua
local Point = require("point")
local p = setmetatable({ x = 1 }, Point)
print(p:⟦length‸⟧(), p.other:length())
local function make() return setmetatable({ x = 2 }, Point) end
make():⟦length⟧()
---- point.lua
local Point = {}
Point.__index = Point
function Point:⟦length⟧() return self.x end
return Point
==== a field of objects that another file makes
---- main.lua
local Point = require("point")
local function make(x)
  local self = setmetatable({ ⟦x⟧ = x }, Point)
  self.⟦x⟧ = x
  return self
end
print(make(1).⟦x‸⟧, setmetatable({ ⟦x⟧ = 2 }, Point), { x = 3 })
---- point.lua
local Point = {}
Point.__index = Point
function Point:length() return self.⟦x⟧ end
return Point
==== a method that is inherited from another file
---- main.lua
local Base = require("base")
local A = setmetatable({}, Base)
A.__index = A
function A:g() self:⟦f‸⟧(); self:g() end
---- base.lua
local Base = {}
Base.__index = Base
function Base:⟦f⟧() end
return Base
---- third.lua
local Base = require("base")
local B = {}
B.__index = B
setmetatable(B, Base)
function B:f() self:f() end
==== a method of a global class of another file
---- main.lua
local a = setmetatable({}, Enemy)
a:⟦hit‸⟧()
setmetatable({}, { __index = Enemy }):⟦hit⟧()
setmetatable({}, Other):hit()
---- enemy.lua
Enemy = {}
Enemy.__index = Enemy
function Enemy:⟦hit⟧() self:⟦hit⟧() end
==== a metatable of another file without an __index leaves a table its own
---- main.lua
local mt = require("mt")
local o = setmetatable({ ⟦x⟧ = 1 }, mt)
local other = setmetatable({ x = 1 }, mt)
print(o.⟦x‸⟧, other.x, mt.x)
---- mt.lua
local mt = { __len = function() return 1 end }
return mt
==== an object of a class of another file that a field holds
---- main.lua
local Point = require("point")
local C = {}
C.__index = C
function C.new()
  local self = setmetatable({}, C)
  self.at = setmetatable({ ⟦x⟧ = 1 }, Point)
  return self
end
function C:go() return self.at.⟦x‸⟧, self.at:length(), self.x end
local t = { at = setmetatable({}, Point) }
print(t.at.⟦x⟧, t.x)
---- point.lua
local Point = {}
Point.__index = Point
function Point:length() return self.⟦x⟧ end
return Point
==== a module that is an object of a class of another file
---- main.lua
local m = require("m")
m:⟦f‸⟧()
---- m.lua
local Base = require("base")
return setmetatable({ x = 1 }, Base)
---- base.lua
local Base = {}
Base.__index = Base
function Base:⟦f⟧() end
return Base
==== a module that is a metatable without a name
---- main.lua
local o = setmetatable({}, require("mt"))
o:⟦f‸⟧()
---- mt.lua
local M = { ⟦f⟧ = function(self) end }
return { __index = M }
==== a class of two files, each of which has the other as its metatable
---- main.lua
local B = require("b")
local A = setmetatable({}, B)
A.__index = A
function A:⟦f⟧() self:⟦f‸⟧() end
return A
---- b.lua
local A = require("main")
local B = setmetatable({}, A)
B.__index = B
function B:g() self:⟦f⟧() end
return B
==== rows of a table in Memory, by their names
---- main.lua
Memory.users.ann = { ⟦age⟧ = 41 }
Memory.users.ann.⟦age‸⟧ = 42
Memory.pets.rex.age = 3
local users = Memory.users
print(users.bob.⟦age⟧, users.age, Memory.users.ann.pet.age)
---- other.lua
ext.query("Memory.users", { where = { "⟦age⟧", ">", 30 }, order_by = "pet.age" })
ext.index(Memory.users, "⟦age⟧")
for _, user in pairs(ext.table("Memory").users) do print(user.⟦age⟧) end
==== rows of a table in Memory, by an index of Memory
Memory.users.ann.⟦age‸⟧ = 42
ext.index("Memory", "users.⟦age⟧")
Memory.pets.rex.age = 3
==== a field by which rows are grouped
local groups = ext.aggregate("users", { group_by = { "⟦age⟧", "name" }, max = "⟦age⟧" })
for _, found in ipairs(groups) do print(found.group.⟦age‸⟧, found.max, found.age, found.group.name) end
print(groups[1].group.⟦age⟧, groups.age, ext.table("users").ann.⟦age⟧)
for _, found in ipairs(ext.aggregate("pets", { group_by = "age" })) do print(found.group.age) end
==== the parts of a question as keys in brackets
local users = ext.table("users")
ext.query(users, { ["where"] = { { "⟦age⟧", ">", 1 }, { ["any"] = { { "⟦age⟧", "<", 3 } } } } })
ext.query("users", { ['order_by'] = { { ["field"] = "⟦age⟧" }, "name" }, ["limit"] = "age" })
ext.count("pets", { ["where"] = { "age", ">", 1 } })
print(users.ann.⟦age‸⟧)
==== from a part of a question that is a key in brackets
print(ext.table("users").ann.⟦age⟧, ext.table("pets").rex.age)
ext.query("users", { ["where"] = { "⟦age‸⟧", ">", 1 } })
==== `ext` by other names
local ext, e = ext, ext
local query, index <const>, aggregate = ext.query, e.index, e["aggregate"]
local users = e.table("users")
print(users.ann.⟦age‸⟧)
ext.index("users", { "⟦age⟧" })
e.drop_index(users, "⟦age⟧")
index("users", "⟦age⟧"); index("pets", "age"); e.index(users.bob, "age")
query("users", { where = { "⟦age⟧", ">", 1 } })
aggregate(users, { group_by = "⟦age⟧" })
local function f(index, ext)
  index("users", "age")
  return query(users, { order_by = "⟦age⟧" }), ext.count("users", { where = { "age", "<", 1 } })
end
==== from an index that a local makes
local ext <const> = ext
do
  local index = ext.index
  index("users", "⟦age‸⟧")
end
index("users", "age")
print(ext.table("users").ann.⟦age⟧)
==== what may not be `ext` any more
local e, index = ext, ext.index
e = require("other")
function f() index = nil end
print(ext.table("users").ann.⟦age‸⟧)
e.index("users", "age")
index("users", "age")
e.query("users", { where = { "age", ">", 1 } })
==== tables in Memory by other names of `ext`
---- main.lua
print(Memory.users.ann.⟦age‸⟧, Memory.users.age, Memory.pets.rex.age)
---- other.lua
local e = ext
local index = e.index
index("Memory", "users.⟦age⟧")
==== a global that holds a table of the store, by another name of `ext`
---- main.lua
print(users.ann.⟦age‸⟧, ext.table("users").ann.⟦age⟧, pets.rex.age)
---- other.lua
local db = ext
users = db.table("users")
pets = db.table("pets")
==== a local that is given another table is not certain
local users = ext.table("users")
if pets then users = ext.table("pets") end
print(ext.table("users").ann.⟦age‸⟧, users.ann.age)
==== a question that is put together
local function page(after)
  local q = { where = { "⟦age⟧", ">", 1 } }
  q.order_by = "⟦age⟧"
  q.select, q["where"] = { "name", "⟦age⟧" }, {
    { "⟦age⟧", "<", 3 },
    { any = { { "⟦age⟧.x", "=", "age" }, { "⟦age‸⟧", "missing" } } },
  }
  q.after, q.limit, q.order_by[2] = "age", "age", "age"
  return ext.query("users", q)
end
local other, third = {}, {}
other.order_by = "age"
third.order_by = "⟦age⟧"
print(ext.query("pets", other), ext.count("users", third), ext.table("users").ann.⟦age⟧)
==== a question that is about two tables, or may be
local q, r, s = {}, { limit = 1 }, {}
q.order_by = "age"
print(ext.query("users", q), ext.query("pets", q))
r.order_by = "age"
print(ext.query("users", r), f(r))
local u, v = {}, { order_by = "age" }
u.order_by = "age"
local w = u or v
print(ext.query("users", u), ext.query("users", v), ext.query("pets", w))
s.order_by = "age"
function g(s) s.order_by = "age" return ext.query("users", s) end
s = q
print(ext.query("users", s))
t.order_by = "age"
print(ext.query("users", t), ext.table("users").ann.⟦age‸⟧)
