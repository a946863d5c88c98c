-- Live Lua in two minutes. Put the cursor on the code below a number and press Ctrl+Enter (Cmd+Enter on
-- a Mac); Shift+Enter does that and moves on.

-- 1. A result stands behind its line. Hover over it: the whole value, Copy, Open, Undo.
string.format("%d words", select(2, ("to be or not to be"):gsub("%a+", "")))

-- 2. What is printed stands behind the line that printed it.
for i = 1, 3 do
  print("round " .. i)
end

-- 3. What `Memory` reaches is stored, and nobody calls save: the function, and the variable it closes
-- over. Count up, close the editor, open it again, and count on.
do
  local count = 0
  function Memory.count_up()
    count = count + 1
    return count
  end
end

Memory.count_up()

-- 4. Named tables hold rows. Look at the view "Lua Persist" at the left: a click opens the grid.
for i, name in ipairs({ "Ann", "Bob", "Cleo", "Dan" }) do
  ext.table("users")[name:lower()] = { name = name, age = 20 + 7 * i, tags = { "new" } }
end

-- 5. Ask questions of them.
ext.count("users", { where = { "age", ">", 30 } })

for _, row in ipairs(ext.query("users", { where = { "age", ">", 30 }, order_by = "age" })) do
  print(row.key, row.value.age)
end

-- 6. An error is marked where it happened, and the evaluation has not happened: no row is gone.
do
  ext.table("users").ann = nil
  error({ code = 42, reason = "on purpose" })
end

-- 7. A loop without end: click the status bar at the lower left, or wait until the time limit ends it.
while true do
end
