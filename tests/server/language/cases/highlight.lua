-- Highlights are those of one document, and say which are written.
==== reads and writes
local x = 1
x = x‸ + 1
>>>>
0:6 Write
1:0 Write
1:4 Read
==== a global only here
---- main.lua
print(⟦g‸⟧)
⟦g⟧ = 1
---- other.lua
g = 2
==== a field
local t = { ⟦a⟧ = 1 }
t.⟦a‸⟧ = u.a
==== nothing under the cursor
local x = ‸1
==== a field of one kind
---@class User
---@field ⟦name⟧ string
---@param u User
function f(u, v) print(u.⟦name‸⟧, v.name) end
==== a field of something unknown
function f(u, v) print(u.⟦name‸⟧, v.⟦name⟧) end
local t = { name = 1 }
==== a field of rows in questions
ext.index("users", "⟦age⟧")
ext.query("users", { order_by = "⟦age‸⟧" })
ext.query("pets", { order_by = "age" })
