-- A migration brings rows to a new shape, once: the next run finds that it was done.

local guests = ext.table("guests")
if not next(guests) then
  guests.ann = { name = "Ann Smith" }
  guests.bob = { name = "Bob Miller" }
end

local done = ext.migrate("guests", 1, function(person)
  person.first, person.last = person.name:match("(%S+) (%S+)")
  person.name = nil
end)
print(done.ran, done.rows) -- expect: true	2
-- expect again: false	0

-- An error undoes all of it, and says in which row.
local ok, message = pcall(ext.migrate, "guests", 2, function(person, key)
  person.initial = person.first:sub(1, 1)
  assert(key ~= "bob", "not Bob")
end)
print(ok, guests.ann.initial) -- expect: false	nil

return guests.bob.last -- expect: => "Miller"
