-- A to-do list: tables and lists inside of `Memory`. Nobody calls save.

Memory.todo = Memory.todo or {}
local todo = Memory.todo

for _, task in ipairs(todo) do
  task.done = true
end
todo[#todo + 1] = { text = #todo == 0 and "water the plants" or "enjoy the plants", done = false }

for number, task in ipairs(todo) do
  print(number, task.done and "done" or "open", task.text) -- expect: 1	open	water the plants
  -- expect again: 1	done	water the plants
  -- expect again: 2	open	enjoy the plants
end

return #todo -- expect: => 1
-- expect again: => 2
