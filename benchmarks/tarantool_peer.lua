-- Records in Tarantool: takes one request a line from standard input, as JSON, and answers with one.
-- Run by benchmarks/tarantool.py, as `tarantool tarantool_peer.lua FOLDER`.
local json = require("json")
local folder = arg[1]

box.cfg {
  work_dir = folder,
  log = folder .. "/tarantool.log",
  memtx_memory = 1024 * 1024 * 1024,
  -- As durable as a session: a commit is on the disk when it returns.
  wal_mode = "fsync",
}

local users = box.schema.space.create("users")
local handlers = {}

-- Records for questions: [key, name, age, city, score], with the indexes that all contenders have.
function handlers.fill(request)
  users:create_index("primary", { parts = { { 1, "unsigned" } } })
  users:create_index("age", { parts = { { 3, "unsigned" }, { 1, "unsigned" } } })
  users:create_index("city_age", {
    parts = { { 4, "string" }, { 3, "unsigned" }, { 1, "unsigned" } },
  })
  users:create_index("score", { parts = { { 5, "number" }, { 1, "unsigned" } } })
  for first = 1, request.count, 10000 do
    box.begin()
    for i = first, math.min(request.count, first + 9999) do
      users:replace { i, "User " .. i, i * 7919 % 90, "c" .. i % 1000, i / 4 }
    end
    box.commit()
  end
  return users:len()
end

function handlers.ask(request)
  local index = users.index[request.index]
  local options = { iterator = request.iterator, limit = request.limit }
  local rows
  for _ = 1, request.repeats do rows = index:select(request.key, options) end
  local keys = {}
  for place, row in ipairs(rows) do keys[place] = row[1] end
  return keys
end

-- Operations for batches: [key, name, age, score], by the name of the key alone.
function handlers.prepare()
  users:create_index("primary", { parts = { { 1, "string" } } })
  return 0
end

function handlers.batch(request)
  local kinds, found = request.kinds, 0
  box.begin()
  for i = 1, request.count do
    local kind, key = kinds[(i - 1) % #kinds + 1], "u" .. i
    if kind == "set" then
      users:replace { key, "name " .. i, i, i / 2 }
    elseif kind == "update" then
      users:update(key, { { "=", 3, i + 1 } })
    elseif kind == "get" then
      found = found + (users:get(key) and 1 or 0)
    else
      users:delete(key)
    end
  end
  box.commit()
  return found
end

for line in io.stdin:lines() do
  local request = json.decode(line)
  io.stdout:write(json.encode(handlers[request.op](request)), "\n")
  io.stdout:flush()
end
os.exit(0)
