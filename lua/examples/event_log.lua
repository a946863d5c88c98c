-- A log that is read page by page. A page's `next` leads to the one after it, also tomorrow.

local log = ext.table("log")
for i = 1, 5 do
  log[#log + 1] = { level = i % 2 == 0 and "warning" or "note", text = "event " .. #log + 1 }
end

local question = { where = { "level", "=", "note" }, limit = 2, after = Memory.page }
local page = ext.query("log", question)
for _, row in ipairs(page) do
  print(row.key, row.value.text) -- expect: 1	event 1
  -- expect again: 5	event 5
  -- expect: 3	event 3
  -- expect again: 6	event 6
end

Memory.page = page.next
return Memory.page ~= nil -- expect: => true
-- expect again: => true
