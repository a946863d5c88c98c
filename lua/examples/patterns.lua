-- Taking text apart with string patterns.

local log = [[
2026-11-02 warn  disk 91%
2026-11-02 info  backup done
2026-11-03 error disk 100%
]]

local levels = {}
for date, level, message in log:gmatch("(%d+%-%d+%-%d+)%s+(%a+)%s+([^\n]+)") do
  levels[level] = (levels[level] or 0) + 1
  local percent = message:match("(%d+)%%")
  if percent then
    print(date, level, tonumber(percent)) -- expect: 2026-11-02	warn	91
    -- expect: 2026-11-03	error	100
  end
end

print((log:gsub("%d+%%", "n%%", 1):match("disk [^\n]+"))) -- expect: disk n%
print(utf8.len("día"), #"día") -- expect: 3	4

return levels -- expect: => {error = 1, info = 1, warn = 1}
