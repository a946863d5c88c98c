-- What `Memory` reaches is still there after a restart: numbers, and what functions close over.

Memory.visits = (Memory.visits or 0) + 1
print("visit number", Memory.visits) -- expect: visit number	1
-- expect again: visit number	2

if not Memory.tick then
  local count = 0
  function Memory.tick()
    count = count + 1
    return count
  end
end

return Memory.tick() -- expect: => 1
-- expect again: => 2
