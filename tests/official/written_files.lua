-- Files for tests that write a program and then load it.
--
-- A session has no files to write. Here a few functions of io and os gather what a test writes and
-- hand it to the host, which serves it to loadfile, dofile and require: those are the real ones.
-- Nothing can be read back with io; tests that do so have nothing of ours to test.

local real_io = { write = io.write, output = io.output, stdout = io.stdout }
local stderr = io.stderr
local existing = {}
local names = 0

-- Output goes to the host when 16 KiB have gathered; a record behind it does not stay behind.
local PADDING = string.rep(" ", 16384)

local function tell(command, name, content)
  local text = content:gsub("[^!-$&-~]", function(c) return ("%%%02x"):format(c:byte()) end)
  stderr:write("\n@file ", command, " ", name, " ", text, "\n", PADDING)
end

local File = {}
File.__index = File

function File:write(...)
  for i = 1, select("#", ...) do
    self.parts[#self.parts + 1] = tostring((select(i, ...)))
  end
  return self
end

function File:close()
  existing[self.name] = true
  tell("written", self.name, table.concat(self.parts))
  self.parts = nil
  return true
end

local function open(name) return setmetatable({ name = name, parts = {} }, File) end

local current = real_io.stdout

function io.open(name, mode)
  assert(mode == "w" or mode == "wb", "only writing is possible here")
  return open(name)
end

function io.output(target)
  if target ~= nil then current = type(target) == "string" and open(target) or target end
  return current
end

function io.write(...) return current:write(...) end

function io.close(file)
  file = file or current
  if file == current then current = real_io.stdout end
  return file:close()
end

function os.tmpname()
  names = names + 1
  return "written-" .. names
end

function os.remove(name)
  if not existing[name] then return nil, name .. ": No such file or directory", 2 end
  existing[name] = nil
  tell("removed", name, "")
  return true
end
