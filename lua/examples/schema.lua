-- A schema says what rows look like. What does not follow it is an error where it is assigned.

ext.schema("users", {
  fields = {
    name = "string",
    age = { type = "integer?", min = 0, max = 150 },
    email = { type = "string?", pattern = "^[^@]+@[^@]+$" },
    role = { enum = { "admin", "user" }, default = "user" },
  },
  extra = false,
})

local users = ext.table("users")
users.ann = { name = "Ann", age = 41 }
print(users.ann.role) -- expect: user

local function refusal(assignment)
  local _, message = pcall(assignment)
  return message:match(": (.*)")
end

print(refusal(function() users.ann.age = "old" end))
-- expect: users.ann.age: expected integer, got string "old"
print(refusal(function() users.bob = { name = "Bob", email = "nowhere" } end))
-- expect: users.bob.email: expected a string that matches "^[^@]+@[^@]+$", got string "nowhere"
print(refusal(function() users.ann.shoes = 43 end))
-- expect: users.ann.shoes: expected no such field, got integer 43

return users.ann.age, users.bob -- expect: => 41, nil
