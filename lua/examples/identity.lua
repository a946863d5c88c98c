-- A table that is stored in two places is one table, also after a restart; cycles are no problem.

if not Memory.team then
  local ann = { name = "Ann", score = 0 }
  local team = { captain = ann, members = { ann, { name = "Bob", score = 0 } } }
  ann.team = team
  Memory.team = team
  print(Memory.team == team) -- expect: true
  -- expect again: welcome back
else
  print("welcome back")
end

local team = Memory.team
team.captain.score = team.captain.score + 1

print(team.members[1].score) -- expect: 1
-- expect again: 2

return team.captain == team.members[1], team.captain.team == team -- expect: => true, true
