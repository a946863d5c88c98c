-- `⟦ ⟧`: links to modules.
==== modules that there are
---- main.lua
local a, b = require("⟦a⟧"), require '⟦lib.b⟧'
local c = require("not_there")
local function f() return require("⟦a⟧").x, print("a") end
---- a.lua
return {}
---- lib/b.lua
return {}
==== none
print("a")
