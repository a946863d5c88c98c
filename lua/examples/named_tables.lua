-- `ext.table(name)` is a table of its own beside `Memory`: for data that has a name, and an end.

local planets = ext.table("planets")
planets.mercury = { moons = 0 }
planets.mars = { moons = 2 }

local drafts = ext.table("drafts")
drafts[#drafts + 1] = "a line that nobody needs"

local names = {}
for name, planet in pairs(planets) do
  names[#names + 1] = name .. " " .. planet.moons
end
table.sort(names)
print(table.concat(names, ", ")) -- expect: mars 2, mercury 0

print(ext.info("planets").entries, #drafts) -- expect: 2	1

-- What is dropped is gone, and begins empty when it is used again.
return ext.drop("drafts"), ext.info("drafts") -- expect: => true, nil
