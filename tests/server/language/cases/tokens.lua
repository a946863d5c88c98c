-- `row:name type modifiers`.
==== locals, parameters, upvalues
local a, b <const> = 1, 2
local function f(x, ...)
  return function() return x + a + b end
end
for i, v in ipairs(f) do v() end
>>>>
0:a variable declaration
0:b variable declaration readonly
1:f function declaration
1:x parameter declaration
2:x parameter upvalue
2:a variable upvalue
2:b variable readonly upvalue
4:i variable declaration
4:v variable declaration
4:ipairs function static defaultLibrary
4:f function
4:v function
==== globals, fields, methods
total = total + 1
function M.f() return self end
function M:g() return self.x end
M.name = other:call("🙂", deep.er.still)
t["a"] = { b = 1, ["c"] = 2, d = function() end }
>>>>
0:total variable static modification
0:total variable static
1:M variable static
1:f function declaration
1:self variable static
2:M variable static
2:g method declaration
2:self parameter
2:x property
3:M variable static
3:name property modification
3:other variable static
3:call method
3:deep variable static
3:er property
3:still property
4:t variable static
4:b property declaration
4:d function declaration
==== the libraries
print(string.format("%s", math.pi))
local print = ext.table
print()
>>>>
0:print function static defaultLibrary
0:string namespace static defaultLibrary
0:format function defaultLibrary
0:math namespace static defaultLibrary
0:pi property defaultLibrary
1:print variable declaration
1:ext namespace static defaultLibrary
1:table property
2:print function
==== conditions that see the locals of their loop
repeat local done = step() until done and function() return done end
>>>>
0:done variable declaration
0:step function static
0:done variable
0:done variable upvalue
==== the order of the text in tables on one row
t = { a = 1, function(x) y = x end, b = 2 }
>>>>
0:t variable static modification
0:a property declaration
0:x parameter declaration
0:y variable static modification
0:x parameter
0:b property declaration
