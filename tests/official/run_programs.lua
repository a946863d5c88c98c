-- What main.lua calls to run the stand-alone interpreter, for the programs in it that need no shell:
-- they run here, by the real dofile, in the same VM. Needs written_files.lua.

local output

prog, out = os.tmpname(), os.tmpname()

function prepfile(text, _, name)
  io.open(name or prog, "w"):write(text):close()
end

function RUN(command, name)
  assert(command:find("^lua %-? ?<? ?%%s") or command == "lua %s", "needs a shell: " .. command)
  local parts, real_print = {}, print
  function print(...)
    local texts = table.pack(...)
    for i = 1, texts.n do texts[i] = tostring(texts[i]) end
    parts[#parts + 1] = table.concat(texts, "\t") .. "\n"
  end
  local ok, message = pcall(dofile, name)
  print = real_print
  assert(ok, message)
  output = table.concat(parts)
end

function NoRun(expected, _, name)
  local ok, message = pcall(dofile, name)
  assert(not ok and string.find(message, expected, 1, true), message)
end

function checkout(expected)
  assert(output == expected, output)
end
