-- Eight, nine, ten and eleven queens: backtracking with small arrays and recursion.
-- expect: 92 352 724 2680

local function solutions(n)
  local column_used, sum_used, difference_used = {}, {}, {}
  for i = 1, n do column_used[i] = false end
  for i = 1, 2 * n do sum_used[i], difference_used[i] = false, false end

  local function place(row)
    if row > n then return 1 end
    local found = 0
    for column = 1, n do
      local sum, difference = row + column, row - column + n
      if not (column_used[column] or sum_used[sum] or difference_used[difference]) then
        column_used[column], sum_used[sum], difference_used[difference] = true, true, true
        found = found + place(row + 1)
        column_used[column], sum_used[sum], difference_used[difference] = false, false, false
      end
    end
    return found
  end

  return place(1)
end

return table.concat({ solutions(8), solutions(9), solutions(10), solutions(11) }, " ")
