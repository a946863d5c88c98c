"""A program whose changes must stay together: transfers, a log, an upvalue, tables, roots."""

from __future__ import annotations

from lua_ls_persist.session import Session

ACCOUNTS, DEPOSIT = 8, 100

STEP = """
local worker, step = ...
if not Memory.accounts then
  Memory.accounts, Memory.log, Memory.done, Memory.tree, Memory.last = {}, {}, {}, {}, {}
  for account = 1, 8 do Memory.accounts[account] = 100 end
  local hits, by = 0, {}
  function Memory.hit(worker) hits = hits + 1 by[worker] = (by[worker] or 0) + 1 end
  function Memory.hits() return hits, by end
end
local accounts, log, amount = Memory.accounts, Memory.log, step % 13
local from, to = step * 7 % 8 + 1, step * 3 % 8 + 1
accounts[from] = accounts[from] - amount
log[#log + 1] = { worker = worker, step = step, text = ("x"):rep(step % 50 * 40) }
Memory.hit(worker)
Memory.tree[worker] = { step, { step, name = { step, { step } } } }
Memory.last[worker] = function() return step, Memory.hits end
if step % 5 == 0 then
  local ok = pcall(ext.transaction, function()
    accounts[to] = accounts[to] + 1000
    Memory.hit(worker)
    Memory.tree[worker][2].name = "undone"
    error("undone")
  end)
  assert(not ok)
end
if step % 7 == 0 then
  ext.table("named " .. worker).step = step
elseif step % 7 == 3 then
  ext.drop("named " .. worker)
end
if step % 11 == 0 then
  Memory.bulk = Memory.bulk or {}
  for index = 1, 300 do Memory.bulk[index] = step end
end
accounts[to] = accounts[to] + amount
Memory.done[worker] = step
"""

LOOK = """
local facts = { sum = 0, log = {}, named = {}, entries = #(Memory.log or {}) }
for _, amount in ipairs(Memory.accounts or {}) do facts.sum = facts.sum + amount end
local texts = true
for _, entry in ipairs(Memory.log or {}) do
  facts.log[entry.worker] = (facts.log[entry.worker] or 0) + 1
  assert(entry.step == facts.log[entry.worker], "a step is missing, or came twice")
  assert(#entry.text == entry.step % 50 * 40)
end
if Memory.hits then
  local hits, by = Memory.hits()
  assert(hits == facts.entries, "the upvalue and the log differ")
  for worker, step in pairs(Memory.done) do
    assert(by[worker] == step and facts.log[worker] == step, "upvalue, log and done differ")
    local tree = Memory.tree[worker]
    assert(tree[1] == step and tree[2][1] == step, "the tree is of another step")
    assert(tree[2].name[1] == step and tree[2].name[2][1] == step, "the tree is half there")
    local last, shared = Memory.last[worker]()
    assert(last == step and shared == Memory.hits, "the function is of another step")
    local name, since = "named " .. worker, step - step % 7
    if step % 7 >= 3 or since == 0 then
      assert(ext.info(name) == nil, "a root is there that was dropped")
    else
      assert(ext.table(name).step == since, "a root is of another step")
    end
  end
end
if Memory.bulk then
  for index = 2, 300 do assert(Memory.bulk[index] == Memory.bulk[1], "the bulk is half there") end
  assert(#Memory.bulk == 300)
end
local done = {}
for worker, step in pairs(Memory.done or {}) do done[#done + 1] = worker .. "=" .. step end
return facts.sum, table.concat(done, " ")
"""


def check(session: Session) -> dict[str, int]:
    """Everything is of one step for each worker; which that is."""
    evaluation = session.evaluate(LOOK)
    assert evaluation.ok, evaluation.problems
    total, listed = evaluation.values
    pairs = (word.split("=") for word in str(listed).split())
    done = {worker: int(step) for worker, step in pairs}
    assert total == (ACCOUNTS * DEPOSIT if done else 0)
    return done
