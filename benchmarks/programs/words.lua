-- Words of a text counted in a dictionary and ranked: hash tables with string keys, pairs, next.
-- expect: 400000 2117 1934 kamitaru

local seed = 7
local function random(limit)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % limit + 1
end

local syllables = { "ka", "lo", "mi", "ne", "ru", "so", "ta", "vi" }
local dictionary = {}
for i = 1, 3000 do
  dictionary[i] = syllables[random(8)] .. syllables[random(8)] .. syllables[random(8)]
    .. syllables[random(8)]
end

local counts, total = {}, 0
for _ = 1, 400000 do
  local word = dictionary[random(#dictionary)]
  counts[word] = (counts[word] or 0) + 1
  total = total + 1
end

-- Ranked by count, then by word, so that the order of `pairs` does not show.
local ranking = {}
for word, count in pairs(counts) do ranking[#ranking + 1] = { word = word, count = count } end
table.sort(ranking, function(a, b)
  if a.count ~= b.count then return a.count > b.count end
  return a.word < b.word
end)

-- Removal during traversal, then growth again.
for word, count in pairs(counts) do
  if count < 120 then counts[word] = nil end
end
local left = 0
for _ in pairs(counts) do left = left + 1 end
return ("%d %d %d %s"):format(total, #ranking, left, ranking[1].word)
