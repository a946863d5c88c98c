-- Many operations at once: all of them or none, with their results in order.

local accounts = ext.table("accounts")
accounts.ann, accounts.bob = { money = 10 }, { money = 5 }

local results = ext.batch {
  { op = "update", table = "accounts", key = "ann", value = { money = 7 } },
  { op = "update", table = "accounts", key = "bob", value = { money = 8 } },
  { op = "set", table = "accounts", key = "cid", value = { money = 0 } },
  { op = "delete", table = "accounts", key = "dan" },
  { op = "count", table = "accounts" },
}
print(results[1], results[4], results[5]) -- expect: true	false	3

-- The second one cannot be done, so the first one is not done either.
local ok, message = pcall(ext.batch, {
  { op = "set", table = "accounts", key = "ann", value = { money = 1000 } },
  { op = "set", table = "accounts", key = "eve", value = coroutine.create(print) },
})
print(ok, message:match("operation %d+ %b()")) -- expect: false	operation 2 (set accounts.eve)

return accounts.ann.money, accounts.eve -- expect: => 7, nil
