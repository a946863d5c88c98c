-- gsub, gmatch, find and match over a text: the pattern matcher and string buffers.
-- expect: 4000 8000 19200 2305 4000 4000

local words = {
  "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
}
local lines = {}
for i = 1, 4000 do
  lines[i] = ("%s = %d, %s(%s) -- line %d [%s]"):format(
    words[i % 10 + 1], i * 37 % 1000, words[i % 7 + 1], words[i % 3 + 1], i, ("x"):rep(i % 5))
end
local text = table.concat(lines, "\n")

local assignments = 0
for name, value in text:gmatch("(%a+)%s*=%s*(%d+)") do
  if #name > 0 and tonumber(value) then assignments = assignments + 1 end
end

local _, brackets = text:gsub("[%[%]]", { ["["] = "(", ["]"] = ")" })

local capitals = 0
local title = text:gsub("%f[%a]%a+", function(word)
  capitals = capitals + 1
  return word:sub(1, 1):upper() .. word:sub(2)
end)

local gammas, at = 0, 1
while true do
  local first, last = title:find("Gamma", at, true)
  if not first then break end
  gammas, at = gammas + 1, last + 1
end

local calls = select(2, text:gsub("(%a+)(%b())", "%2%1"))

local trimmed = 0
for line in text:gmatch("[^\n]+") do
  local before, comment = line:match("^(.-)%s*%-%-%s*(.*)$")
  if before and comment:match("^line %d+") then trimmed = trimmed + 1 end
end
return table.concat({ assignments, brackets, capitals, gammas, calls, trimmed }, " ")
