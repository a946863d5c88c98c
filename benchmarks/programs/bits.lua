-- CRC-32, base64 and a 64-bit hash of a text: bitwise operators, string.byte, string.char.
-- expect: c92de1d1 30e196078ccd5295 360000 b7407769

local crc_table = {}
for i = 0, 255 do
  local crc = i
  for _ = 1, 8 do crc = crc & 1 == 1 and (crc >> 1 ~ 0xEDB88320) or crc >> 1 end
  crc_table[i] = crc
end

local function crc32(text)
  local crc = 0xFFFFFFFF
  for i = 1, #text do crc = crc >> 8 ~ crc_table[(crc ~ text:byte(i)) & 0xFF] end
  return crc ~ 0xFFFFFFFF
end

local function fnv1a(text)
  local hash = 0xcbf29ce484222325
  for i = 1, #text do hash = (hash ~ text:byte(i)) * 0x100000001b3 end
  return hash
end

local alphabet = {}
local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
for i = 1, 64 do alphabet[i - 1] = letters:byte(i) end

local function base64(text)
  local pieces = {}
  for i = 1, #text - 2, 3 do
    local a, b, c = text:byte(i, i + 2)
    local n = a << 16 | b << 8 | c
    pieces[#pieces + 1] = string.char(
      alphabet[n >> 18], alphabet[n >> 12 & 63], alphabet[n >> 6 & 63], alphabet[n & 63])
  end
  return table.concat(pieces)
end

assert(crc32("123456789") == 0xCBF43926 and fnv1a("a") == 0xaf63dc4c8601ec8c)
assert(base64("light work.ABC"):sub(1, 16) == "bGlnaHQgd29yay5B")

local text = ("The quick brown fox jumps over the lazy dog. "):rep(6000)
local encoded = base64(text)
local start = encoded:sub(1, 60000)
return ("%08x %016x %d %08x"):format(crc32(text), fnv1a(text), #encoded, crc32(start))
