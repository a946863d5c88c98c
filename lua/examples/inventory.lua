-- An inventory: rows are asked for by what is in them.

local stock = ext.table("stock")
stock.tea = { price = 4, left = 10, kind = "drink" }
stock.coffee = { price = 7, left = 0, kind = "drink" }
stock.pot = { price = 25, left = 3, kind = "ware" }
stock.cup = { price = 5, left = 40, kind = "ware" }

-- What is there and costs little, the cheapest first.
for _, row in ipairs(ext.query("stock", {
  where = { { "left", ">", 0 }, { "price", "<", 20 } },
  order_by = "price",
})) do
  print(row.key, row.value.price) -- expect: tea	4
  -- expect: cup	5
end

-- A row is the table itself: what is changed in it is stored.
ext.query("stock", { where = { "left", "=", 0 } })[1].value.left = 20
print(stock.coffee.left) -- expect: 20

for _, found in ipairs(ext.aggregate("stock", { group_by = "kind", count = true, sum = "left" })) do
  print(found.group.kind, found.count, found.sum) -- expect: drink	2	30
  -- expect: ware	2	43
end

return ext.count("stock", { where = { any = { { "price", ">", 20 }, { "left", "<", 15 } } } }) -- expect: => 2
