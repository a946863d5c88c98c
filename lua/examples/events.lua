-- An event log, and handlers stored beside it: what happened can be told again at any time.

local log = ext.table("events")
local handlers = ext.table("event handlers")

handlers.deposit = function(state, event) state.balance = state.balance + event.amount end
handlers.rename = function(state, event) state.owner = event.owner end

local function emit(kind, event)
  event.kind = kind
  log[#log + 1] = event
end

emit("deposit", { amount = 50 })
emit("rename", { owner = "Ann" })
emit("deposit", { amount = 25 })

local state = { balance = 0, owner = "nobody" }
for _, event in ipairs(log) do
  handlers[event.kind](state, event)
end

print(#log, "events") -- expect: 3	events
-- expect again: 6	events

return state -- expect: => {balance = 75, owner = "Ann"}
-- expect again: => {balance = 150, owner = "Ann"}
