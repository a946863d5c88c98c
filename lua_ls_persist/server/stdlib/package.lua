-- The library `package`: how `require` finds modules.

--- How `require` finds modules.
package = {}

--- Signs that separate the parts of paths, one a line.
package.config = ""

--- Where native modules would be looked for: nowhere.
package.cpath = ""

--- The modules that have been loaded, by name. Set one to nil and `require` loads it again.
package.loaded = {}

--- Where modules are looked for: patterns such as `?.lua`, with semicolons between them.
package.path = ""

--- Functions that load modules, by name; `require` asks these first.
package.preload = {}

--- The functions that `require` asks for a loader, in order.
package.searchers = {}

--- Refused: there are no native libraries in the sandbox.
function package.loadlib(path, name) end

--- The first file of a path for this name, or nil and where it was looked for.
function package.searchpath(name, path, separator, replacement) end
