-- ext.history: the evaluations that changed what is stored. Undoing them is for the outside: an
-- evaluation cannot undo itself.
local prelude = ...

local fail, type, math_type = prelude.fail, type, math.type
local ask, bad_argument = prelude.need("ask"), prelude.need("bad_argument")

local LIMIT_DEFAULT = 20

local history = {}

-- The newest first, this evaluation not among them.
function history.history(limit)
  if limit == nil then limit = LIMIT_DEFAULT end
  if type(limit) ~= "number" then bad_argument(1, "history", "number", limit) end
  if math_type(limit) ~= "integer" or limit < 1 then
    fail("bad argument #1 to 'history' (a limit is a whole number from 1 on)")
  end
  return ask("history", { limit = limit })
end

return history
