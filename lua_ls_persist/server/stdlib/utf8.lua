-- The library `utf8`.

--- Functions for text in UTF-8. Places count bytes.
utf8 = {}

--- A pattern that matches exactly one character of valid UTF-8.
utf8.charpattern = ""

--- The characters with these code points, as one string.
function utf8.char(...) end

--- The code points of the characters that begin from byte `first` to byte `last`.
function utf8.codepoint(s, first, last, lax) end

--- For a `for` loop: the place and the code point of each character.
function utf8.codes(s, lax) end

--- How many characters there are from byte `first` to byte `last`; nil and the place where the text is not
--- valid.
function utf8.len(s, first, last, lax) end

--- The place of the n-th character counted from byte `init`; backwards if n is negative.
function utf8.offset(s, n, init) end
