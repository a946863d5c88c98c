-- Steps of random programs (../programs.py): entries, going through tables, lists.
-- `$value1`, `$key2` and so on are replaced by random Lua expressions; what else they use is in
-- ../prelude.lua. A step ends up on one line.

-- Entries.

--- table
add($value1)

--- table2
local t = { $name = $value1, [$key1] = $value2 } add(t) t.late = $value3 t.itself = t

--- aliases
local a = { $value1 }
local b = { a, a = a }
a.b = b
tab($n1)[$key1] = b
a[2] = $value2
add(a)
b.c = { a }
add(b)

--- set
tab($n1)[$key1] = $value1

--- set_named
ext.table('named')[$key1] = $value1

--- get_named
print(show(ext.table('named')[$key1]))

--- anonymous
local t = ext.table() t[$key1] = $value1 tab($n1).$name = t add(t)

--- delete
tab($n1)[$key1] = nil print(show(tab($n1)[$key1]))

--- get
print(show(tab($n1)[$key1], tab($n2).$name))

--- deep
local t = tab($n1) t.x = t.x or {} t.x.y = t.x.y or {} t.x.y[$key1] = $value1
print(show(t.x.y[$key1]))

--- missing
print(show(pcall(function() return tab($n1).nothing.here end)))

--- missing_call
print(pcall(function() tab($n1).nothing() end))

--- bad_key
print(pcall(function() tab($n1)[$bad] = 1 end))

--- bad_operand
print(pcall(function() return #tab($n1).nothing end))

--- raw
local t = tab($n1) rawset(t, $key1, $value1)
print(show(rawget(t, $key1), rawequal(t, tab($n2)), t == tab($n2)))

--- swap
local s, t = tab($n1), tab($n2) s.$name, t.$name = t.$name, s.$name

--- move_key
local t = tab($n1) t[$key1], t[$key2] = t[$key2], t[$key1]

--- many
local t = add({}) for i = 1, $large do t[i] = i t['k' .. i] = { i } end

--- assert_empty
print(next(ext.table()), next({}), rawlen(ext.table()))

-- Going through.

--- sum
local n, s = 0, 0
for k, v in pairs(tab($n1)) do
  n = n + 1
  if math.type(v) == 'integer' then
    s = s + v
  end
end
print(n, s)

--- sum_next
local t = tab($n1) local n, k = 0, nil repeat k = next(t, k) n = n + 1 until k == nil print(n)

--- update_all
local t = tab($n1)
for k, v in next, t do
  if math.type(v) == 'integer' then
    rawset(t, k, v + 1)
  else
    rawset(t, k, v)
  end
end

--- delete_some
local t = tab($n1)
for k, v in next, t do
  if math.type(v) == 'integer' and v % 2 == 0 then
    rawset(t, k, nil)
  end
end

--- empty
local t = tab($n2)
for k in next, t do
  rawset(t, k, nil)
end
print(next(t))

--- adopt_inside
local t = { a = 1, b = 2, c = 3, 4, 5, 6 }
local s = 0
for k, v in pairs(t) do
  tab($n1).inside = t
  t[k] = v * 2
  s = s + v
end
print(s)

--- inext
local s = 0 for i, v in ipairs(list($n1)) do s = s + i * v end print(s)

-- Lists.

--- append
local l = list($n1) l[#l + 1] = $int

--- insert
local l = list($n1) table.insert(l, $int % (#l + 1) + 1, $int)

--- remove
local l = list($n1) print(table.remove(l), #l)

--- remove_first
local l = list($n1) print(#l > 0 and table.remove(l, 1), #l)

--- sort
table.sort(list($n1)$order)

--- concat
print(table.concat(list($n1), ','))

--- unpack
print(table.unpack(list($n1))) print(select('#', table.unpack(list($n1), 1, 3)))

--- table_move
table.move(list($n1), 1, #list($n1), #list($n2) + 1, list($n2))

--- pack
add(table.pack($value1, nil, $value2))

--- length
print(#list($n1), rawlen(list($n1)), #M.lists)

--- new_list
M.lists[#M.lists + 1] = { $int, 5, $int }

--- fill
local l = list($n1) for i = 1, $large do l[#l + 1] = i % 7 end

--- drain
local l = list($n1) local s = 0 while #l > 0 do s = s + table.remove(l) end print(s)
