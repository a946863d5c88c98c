-- All or nothing: after an error, tables and variables are what they were before the transaction.

Memory.accounts = Memory.accounts or { ann = 100, bob = 0 }
local accounts = Memory.accounts
local transfers = 0

local function transfer(from, to, amount)
  ext.transaction(function()
    transfers = transfers + 1
    accounts[to] = accounts[to] + amount
    accounts[from] = accounts[from] - amount
    if accounts[from] < 0 then
      error(from .. " has too little", 0)
    end
  end)
end

print(pcall(transfer, "ann", "bob", 30)) -- expect: true
print(pcall(transfer, "ann", "bob", 500)) -- expect: false	ann has too little
print("ann", accounts.ann, "bob", accounts.bob) -- expect: ann	70	bob	30
-- expect again: ann	40	bob	60

return transfers -- expect: => 1
