-- The library `math`. Whole numbers have 64 bits; floats are doubles.

--- Functions and constants for numbers.
math = {}

--- Larger than every other number.
math.huge = 0

--- The largest whole number: 2^63 - 1.
math.maxinteger = 0

--- The smallest whole number: -2^63.
math.mininteger = 0

--- 3.14159265...
math.pi = 0

--- The number without its sign.
function math.abs(x) end

--- The angle whose cosine is x, in radians.
function math.acos(x) end

--- The angle whose sine is x, in radians.
function math.asin(x) end

--- The angle whose tangent is y/x, in radians, in the right quadrant; x is 1 if it is left out.
function math.atan(y, x) end

--- The angle whose tangent is y/x. Kept for old programs: `math.atan(y, x)` is the same.
function math.atan2(y, x) end

--- The smallest whole number that is not less than x.
function math.ceil(x) end

--- The cosine of an angle in radians.
function math.cos(x) end

--- The hyperbolic cosine. Kept for old programs.
function math.cosh(x) end

--- Radians as degrees.
function math.deg(x) end

--- e to the power of x.
function math.exp(x) end

--- The largest whole number that is not greater than x.
function math.floor(x) end

--- What is left of x after dividing by y; it has the sign of x.
function math.fmod(x, y) end

--- x as m times 2^e, with m from 0.5 to below 1. Kept for old programs.
function math.frexp(x) end

--- m times 2^e. Kept for old programs.
function math.ldexp(m, e) end

--- The logarithm of x; natural, unless there is a base.
function math.log(x, base) end

--- The logarithm to base 10. Kept for old programs: `math.log(x, 10)`.
function math.log10(x) end

--- The greatest of its arguments.
function math.max(x, ...) end

--- The least of its arguments.
function math.min(x, ...) end

--- The whole part of x as a float, and the rest.
function math.modf(x) end

--- x to the power of y. Kept for old programs: `x ^ y`.
function math.pow(x, y) end

--- Degrees as radians.
function math.rad(x) end

--- A random number: without arguments a float from 0 to below 1, with one a whole number from 1 to m, with
--- two from m to n. `math.random(0)` gives 64 random bits.
function math.random(m, n) end

--- Starts the random numbers at a given place, so that they can be repeated; without arguments at a
--- random one.
function math.randomseed(x, y) end

--- The sine of an angle in radians.
function math.sin(x) end

--- The hyperbolic sine. Kept for old programs.
function math.sinh(x) end

--- The square root.
function math.sqrt(x) end

--- The tangent of an angle in radians.
function math.tan(x) end

--- The hyperbolic tangent. Kept for old programs.
function math.tanh(x) end

--- The value as a whole number if it is one, such as 3.0; otherwise nil.
function math.tointeger(x) end

--- `"integer"`, `"float"`, or nil for what is no number.
function math.type(x) end

--- Whether m is below n when both are taken as unsigned.
function math.ult(m, n) end
