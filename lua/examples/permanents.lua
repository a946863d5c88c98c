-- Stored functions keep the code they were stored with. What is registered as a permanent is stored
-- by its name instead, and is always what this program registers under that name now.

local run = (Memory.permanent_runs or 0) + 1
Memory.permanent_runs = run

local function greet() return "greeting of run " .. run end
ext.permanent("examples.greet", greet)

Memory.by_content = Memory.by_content or function() return "code of run 1" end
Memory.by_name = Memory.by_name or greet

print(Memory.by_content()) -- expect: code of run 1
print(Memory.by_name()) -- expect: greeting of run 1
-- expect again: greeting of run 2

return Memory.by_name == greet -- expect: => true
