-- What the sources know of what stands before the dot at the cursor: its fields, below `>>>>`;
-- `nothing` where two answers are possible, or none. `user.lua` is there in every case.
==== a class by its metatable
local A = {}
A.__index = A
A.count = 0
function A.new(x)
  local self = setmetatable({ x = x }, A)
  self.y = 1
  return self
end
function A:m() self.z = 1 end
local a = A.new(1)
a.‸
>>>>
count m new x y z
==== the class itself
local A = {}
A.__index = A
function A.new(x) return setmetatable({ x = x }, A) end
A.‸
>>>>
new x
==== self in its methods
local A = {}
A.__index = A
function A.new(x) return setmetatable({ x = x }, A) end
function A:m() self.‸ end
>>>>
m new x
==== what methods return
local A = {}
A.__index = A
function A.new(x) return setmetatable({ x = x }, A) end
function A:m() return self end
A.new(1):m():m().‸
>>>>
m new x
==== an object that gets its metatable later
local A = { a = 1 }
A.__index = A
local o = {}
setmetatable(o, A)
o.more = 1
o.‸
>>>>
a more
==== an object that a function makes so
local A = { a = 1 }
A.__index = A
local function make()
  local o = {}
  setmetatable(o, A)
  return o
end
make().‸
>>>>
a
==== a metatable that stands in the call
local A = { a = 1 }
local o = setmetatable({ b = 1 }, { __index = A })
o.‸
>>>>
a b
==== a metatable with a name
local methods = {}
local mt = { __index = methods }
function methods:f() end
local o = setmetatable({ b = 1 }, mt)
o.‸
>>>>
b f
==== a global class
A = {}
A.__index = A
function A.new(x) return setmetatable({ x = x }, A) end
local a = A.new()
a.‸
>>>>
new x
==== a class that makes itself the metatable, as in "Programming in Lua"
Account = { balance = 0 }
function Account:new(o)
  o = o or {}
  setmetatable(o, self)
  self.__index = self
  return o
end
local a = Account:new()
a.‸
>>>>
balance new
==== what is inherited
local Base = {}
Base.__index = Base
function Base:f() end
local A = setmetatable({}, { __index = Base })
A.__index = A
function A:g() end
local a = setmetatable({}, A)
a.‸
>>>>
f g
==== what is inherited from a class of another file
---- main.lua
local Base = require("base")
local A = setmetatable({}, { __index = Base })
A.__index = A
local a = setmetatable({ x = 1 }, A)
a.‸
---- base.lua
local Base = {}
Base.__index = Base
function Base:f() end
return Base
>>>>
f x
==== an object of a class of another file
---- main.lua
local Point = require("point")
local p = setmetatable({ x = 1 }, Point)
p.z = 3
p.‸
---- point.lua
local Point = {}
Point.__index = Point
function Point:length() return self.x end
return Point
>>>>
length x z
==== what a function makes of a class of another file
---- main.lua
local Point = require("point")
local function make(x) return setmetatable({ x = x }, Point) end
make(1).‸
---- point.lua
local Point = {}
Point.__index = Point
function Point:length() return self.x end
return Point
>>>>
length x
==== a metatable of another file
---- main.lua
local mt = require("mt")
local o = {}
o.x = 1
setmetatable(o, mt)
o.‸
---- mt.lua
local methods = {}
function methods:f() end
local mt = { __index = methods, __len = f }
return mt
>>>>
f x
==== a metatable of another file that has no __index
---- main.lua
local mt = require("mt")
local o = setmetatable({ x = 1 }, mt)
o.‸
---- mt.lua
local mt = { __len = f }
return mt
>>>>
x
==== a class that has one of another file as its metatable
---- main.lua
local Base = require("base")
local A = setmetatable({}, Base)
A.__index = A
function A:g() end
function A.new() return setmetatable({ a = 1 }, A) end
A.new().‸
---- base.lua
local Base = {}
Base.__index = Base
function Base:f() end
return Base
>>>>
a f g new
==== a class that gets its metatable later, from the middle of three files
---- main.lua
local B = require("b")
local b = B.new()
b.‸
---- a.lua
local A = {}
A.__index = A
function A:f() end
return A
---- b.lua
local A = require("a")
local B = {}
B.__index = B
setmetatable(B, A)
function B.new(o) return setmetatable(o or {}, B) end
return B
>>>>
f new
==== a global class of another file
---- main.lua
local a = setmetatable({}, A)
a.‸
---- a.lua
A = {}
A.__index = A
function A:f() end
>>>>
f
==== an object that is given
---- main.lua
local A = require("a")
local function make(o)
  o = o or {}
  setmetatable(o, A)
  return o
end
make().‸
---- a.lua
local A = {}
A.__index = A
function A:f() end
return A
>>>>
f
==== an __index that is a function makes no class
local t = setmetatable({ a = 1 }, { __index = function() end })
t.‸
>>>>
a
==== a metatable that nobody knows
local t = setmetatable({ a = 1 }, Other)
t.‸
>>>>
a
==== a field that is an object
local A = {}
A.__index = A
function A:f() end
local B = {}
B.__index = B
function B.new()
  local self = setmetatable({}, B)
  self.a = setmetatable({}, A)
  return self
end
B.new().a.‸
>>>>
f
==== a default
---@param u? User
function f(u)
  local v = u or {}
  v.‸
end
>>>>
boss friends greet name new pay twin
==== a default of the same kind
---@param u? User
function f(u)
  local v = u or somebody()
  v.‸
end
>>>>
boss friends greet name new pay twin
==== a choice
---@param u? User
function f(u, w)
  local v = w and u.boss or u
  v.‸
end
>>>>
boss friends greet name new pay twin
==== a choice or nothing
---@param u? User
function f(u, w)
  local v = w and u.boss or nil
  v.‸
end
>>>>
boss friends greet name new pay twin
==== a default for what is unknown
function f(y)
  local v = y or { a = 1 }
  v.‸
end
>>>>
nothing
==== a choice of which half is unknown
---@param u? User
function f(u, w)
  local v = u or w
  v.‸
end
>>>>
nothing
==== a comparison is no choice
---@param u? User
function f(u, w)
  local v = u == w or u
  v.‸
end
>>>>
nothing
==== tables in a list
local list = { { a = 1 }, { a = 2, b = 3 } }
for _, x in ipairs(list) do x.‸ end
>>>>
a b
==== tables in a list, each on a row
local list = {
  { a = 1 },
  { b = 2 },
}
for _, x in pairs(list) do x.‸ end
>>>>
a b
==== one of a list
local list = { { a = { deep = 1 } } }
for i = 1, #list do list[i].a.‸ end
>>>>
deep
==== no tables in a list
local list = { 1, 2 }
for _, x in ipairs(list) do x.‸ end
>>>>
nothing
==== keys are no elements
local list = { { a = 1 } }
for x in pairs(list) do x.‸ end
>>>>
nothing
==== what a parameter gives that is a function
---@param f? fun(n: integer): integer, User?
function g(f)
  local _, u = f(1)
  u.‸
end
>>>>
boss friends greet name new pay twin
==== what a variable gives that is a function
---@type fun(): User[]
local f = g()
f()[1].‸
>>>>
boss friends greet name new pay twin
==== what an alias of a type of function gives
---@alias Make fun(): User
---@param f Make
function g(f) f().‸ end
>>>>
boss friends greet name new pay twin
==== what a field gives that is a function
---@class Box
---@field get fun(self: Box): User

---@param b Box
function g(b) b:get().‸ end
>>>>
boss friends greet name new pay twin
==== a field that gives its own table
---@class Box
---@field me fun(self: Box): self
---@field user User

---@param b Box
function g(b) b:me().‸ end
>>>>
me user
==== what a function is given that is given to a function
---@param f fun(n: integer, u: User)
local function each(f) end
each(function(n, u) u.‸ end)
>>>>
boss friends greet name new pay twin
==== what a function is given that is given to a method
---@class Bus
---@field on fun(self: Bus, name: string, f: fun(u: User))

---@param b Bus
function g(b) b:on("x", function(u) u.‸ end) end
>>>>
boss friends greet name new pay twin
==== what a function of a type is given
---@type fun(u: User)
local f = function(u) u.‸ end
>>>>
boss friends greet name new pay twin
==== what is sorted
---@type User[]
local all = g()
table.sort(all, function(a, b) return a.name < b.‸ end)
>>>>
boss friends greet name new pay twin
==== a generic function
---@generic T
---@param x T
---@return T
local function id(x) end
id(somebody()).‸
>>>>
boss friends greet name new pay twin
==== a generic function of lists
---@generic T
---@param list T[]
---@return T
local function first(list) end
---@param all User[]
function g(all) first(all).‸ end
>>>>
boss friends greet name new pay twin
==== a generic function of maps
---@generic K, V
---@param map table<K, V>
---@return V[]
local function values(map) end
---@param all table<string, User>
function g(all) values(all)[1].‸ end
>>>>
boss friends greet name new pay twin
==== what a generic function hands on
---@generic T : table
---@param list T[]
---@param f fun(x: T)
local function each(list, f) end
---@param all User[]
function g(all) each(all, function(x) x.‸ end) end
>>>>
boss friends greet name new pay twin
==== a generic function of something unknown
---@generic T
---@param x T
---@return T
local function id(x) end
id(1).‸
>>>>
nothing
==== an overload by the number of arguments
---@param n integer
---@param s string
---@return integer
---@overload fun(n: integer): User
function f(n, s) end
f(1).‸
>>>>
boss friends greet name new pay twin
==== overloads that both fit
---@param n integer
---@return integer
---@overload fun(s: string): User
function f(n) end
f(x).‸
>>>>
nothing
==== a module
---- main.lua
local m = require("lib")
m.‸
---- lib.lua
local M = { size = 1 }
function M.make() return { zip = 1 } end
return M
>>>>
make size
==== what a module makes
---- main.lua
require("lib").make().‸
---- lib.lua
local M = {}
function M.make() return { zip = 1 } end
return M
>>>>
zip
==== a function of a module by a name of its own
---- main.lua
local make = require("lib").make
make().‸
---- lib.lua
local M = {}
function M.make() return { zip = 1 } end
return M
>>>>
zip
==== a module without a name
---- main.lua
local m = require("lib")
m.b.‸
---- lib.lua
return { a = 1, b = { c = 2 } }
>>>>
c
==== a module that is a class
---- main.lua
local A = require("lib")
local a = A.new()
a.‸
---- lib.lua
local A = {}
A.__index = A
function A.new() return setmetatable({ x = 1 }, A) end
return A
>>>>
new x
==== a module that is no table
---- main.lua
local m = require("lib")
m.‸
---- lib.lua
return function() end
>>>>
nothing
