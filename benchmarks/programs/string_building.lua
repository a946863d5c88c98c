-- Strings grown by `..`, collected, joined, repeated, cut and reversed: allocation and hashing.
-- expect: 1482293 100000 8

local lines = {}
for i = 1, 60000 do
  lines[#lines + 1] = "line " .. i .. ": " .. (i * 7 % 1000) .. " of " .. 1000 .. ";"
end
local text = table.concat(lines, "\n")

-- Short strings, most of them met before, so that interning is exercised.
local seen, count = {}, 0
for i = 1, 100000 do
  local key = "k" .. i % 997
  if not seen[key] then seen[key] = 0 end
  seen[key] = seen[key] + 1
  count = count + 1
end

local word = ""
for i = 1, 2000 do word = word .. string.char(97 + i % 26) end
local doubled = 0
for i = 1, 2000 do
  local piece = word:sub(i, i + 20):upper() .. word:rep(2, "-"):sub(-i)
  if piece:reverse():sub(-1) == "A" then doubled = doubled + 1 end
end
return #text .. " " .. count .. " " .. doubled % 17
