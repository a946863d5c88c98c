-- The sieve of Eratosthenes, five times over: integer loops over one large array.
-- expect: 25997 299993

local function sieve(limit)
  local composite = {}
  for i = 1, limit do composite[i] = false end
  for i = 2, math.floor(math.sqrt(limit)) do
    if not composite[i] then
      for j = i * i, limit, i do composite[j] = true end
    end
  end
  local count, last = 0, 0
  for i = 2, limit do
    if not composite[i] then count, last = count + 1, i end
  end
  return count, last
end

local count, last
for _ = 1, 5 do count, last = sieve(300000) end
return count .. " " .. last
