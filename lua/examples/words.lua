-- Words of a text that is larger than one likes to hold in memory, counted in a table that is, too.

local words = ext.table("words")
local text = "the cat sat on the mat and the dog sat on the cat "

for _ = 1, 500 do
  for word in text:gmatch("%a+") do
    words[word] = (words[word] or 0) + 1
  end
end

local most = ext.query("words", { order_by = "@value", descending = true, limit = 3 })
for _, row in ipairs(most) do
  print(row.key, row.value) -- expect: the	2000
  -- expect again: the	4000
  -- expect: sat	1000
  -- expect again: sat	2000
  -- expect: on	1000
  -- expect again: on	2000
end

return ext.count("words", { where = { "@key", "startsWith", "c" } }) -- expect: => 1
