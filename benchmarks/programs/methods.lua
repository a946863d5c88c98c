-- Classes by metatables: method calls, inheritance, accessors, operators and __index functions.
-- expect: 45000150000 300000 150000 150000 100 50 300000

local Account = {}
Account.__index = Account

function Account.new(balance) return setmetatable({ balance = balance, moves = 0 }, Account) end
function Account:deposit(amount)
  self.balance = self.balance + amount
  self.moves = self.moves + 1
  return self
end
function Account:get_balance() return self.balance end
function Account:fee() return 0 end

local Charged = setmetatable({}, { __index = Account })
Charged.__index = Charged

function Charged.new(balance)
  local account = Account.new(balance)
  return setmetatable(account, Charged)
end
function Charged:fee() return 2 end
function Charged:deposit(amount) return Account.deposit(self, amount - self:fee()) end

local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Vector) end
Vector.__eq = function(a, b) return a.x == b.x and a.y == b.y end
Vector.__len = function() return 2 end
local function vector(x, y) return setmetatable({ x = x, y = y }, Vector) end

local plain, charged = Account.new(0), Charged.new(0)
for i = 1, 300000 do
  plain:deposit(i)
  if i % 2 == 0 then charged:deposit(i % 3 + 2) end
end

local sum, unit, equal = vector(0, 0), vector(1, 2), 0
for i = 1, 100000 do
  sum = sum + unit
  if i % 1000 == 0 and sum == vector(i, i * 2) then equal = equal + 1 end
end
local defaults = setmetatable({}, { __index = function(_, key) return key % 2 end })
local odd = 0
for i = 1, 100 do odd = odd + defaults[i] end
return ("%d %d %d %d %d %d %d"):format(
  plain:get_balance(), plain.moves, charged:get_balance(), charged.moves, equal, odd, sum.x + sum.y)
