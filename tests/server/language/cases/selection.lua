-- What is selected, from the cursor outwards; `⏎` is a line end.
==== a name in a call
local function f()
  print("🙂", a.b‸c)
end
>>>>
bc
a.bc
("🙂", a.bc)
print("🙂", a.bc)
local function f()⏎  print("🙂", a.bc)⏎end
