-- Objects keep their class. Since the class is stored as well, and filled anew by this file, an
-- edited method is at once the method of all accounts that exist.

local Account = Memory.Account or {}
Memory.Account = Account
Account.__index = Account

function Account.new(owner)
  return setmetatable({ owner = owner, balance = 0 }, Account)
end

function Account:deposit(amount)
  self.balance = self.balance + amount
  return self.balance
end

Memory.account = Memory.account or Account.new("Ann")
print(Memory.account.owner, Memory.account:deposit(10)) -- expect: Ann	10
-- expect again: Ann	20

return getmetatable(Memory.account) == Account -- expect: => true
