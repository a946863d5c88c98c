-- Tables filled, sorted by two orders, searched, inserted into and removed from.
-- expect: 25000 true true 32754844

-- A small generator of its own, so that every VM sorts the same numbers.
local seed = 42
local function random(limit)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % limit
end

local records = {}
for i = 1, 25000 do records[i] = { id = i, score = random(1000) } end

local numbers = {}
for i = 1, #records do numbers[i] = records[i].score * 32768 + random(32768) end
table.sort(numbers)
local ascending = true
for i = 2, #numbers do
  if numbers[i - 1] > numbers[i] then ascending = false end
end

table.sort(records, function(a, b)
  if a.score ~= b.score then return a.score > b.score end
  return a.id < b.id
end)
local ordered = true
for i = 2, #records do
  local a, b = records[i - 1], records[i]
  if a.score < b.score or (a.score == b.score and a.id > b.id) then ordered = false end
end

local queue, sum = {}, 0
for i = 1, 60000 do
  table.insert(queue, records[i % #records + 1].score)
  if #queue > 100 then sum = sum + table.remove(queue) end
  if i % 50 == 0 then sum = sum + table.remove(queue, 1) end
end
return ("%d %s %s %d"):format(#records, ascending, ordered, sum)
