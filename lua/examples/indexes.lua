-- An index makes queries fast, however many rows there are. It changes nothing else.

local people = ext.table("people")
for i = 1, 2000 do
  people[i] = { age = i % 90, email = i .. "@example.com", tags = { "all", "group " .. i % 100 } }
end

local question = { where = { "age", "between", 30, 31 } }
print(ext.explain("people", question).index, ext.count("people", question)) -- expect: nil	44
-- expect again: people(age)	44

ext.index("people", "age")
ext.index("people", "email", { unique = true })
ext.index("people", "tags", { each = true })
print(ext.explain("people", question).index, ext.count("people", question)) -- expect: people(age)	44
print(ext.count("people", { where = { "tags", "contains", "group 7" } })) -- expect: 20

-- Two rows with one address are refused, whoever stores them.
local ok, message = pcall(ext.batch, {
  { op = "set", table = "people", key = "new", value = { email = "7@example.com" } },
})
print(ok, message:match("The index .* unique")) -- expect: false	The index people(email) is unique

return #ext.indexes("people") -- expect: => 3
