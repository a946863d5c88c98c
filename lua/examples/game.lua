-- A saved game that nobody has to save: rooms that lead to each other, and where the player is.

if not Memory.game then
  local hall, cellar = { name = "the hall" }, { name = "the cellar" }
  hall.down, cellar.up = cellar, hall
  cellar.enter = function(player)
    player.candles = player.candles + 1
    return "It is dark here; you light candle number " .. player.candles .. "."
  end
  Memory.game = { player = { room = hall, candles = 0 } }
end

local player = Memory.game.player
print("You are in " .. player.room.name .. ".") -- expect: You are in the hall.
-- expect again: You are in the cellar.

player.room = player.room.down or player.room.up
if player.room.enter then
  print(player.room.enter(player)) -- expect: It is dark here; you light candle number 1.
else
  print("The sun is shining.") -- expect again: The sun is shining.
end

return player.room.name -- expect: => "the cellar"
-- expect again: => "the hall"
