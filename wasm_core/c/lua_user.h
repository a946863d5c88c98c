/*
** What this core tells the stock Lua sources, through LUA_USER_H: included by lua.h right after
** luaconf.h. Nothing in Lua's own files is changed.
*/
#ifndef LUA_PERSIST_USER_H
#define LUA_PERSIST_USER_H

#include <stddef.h>

struct lua_State;

/*
** Errors and protected calls. WebAssembly has no setjmp; it has exceptions. `core_protected` (in
** hot.c) calls `core_try` (in try.s), which catches what LUAI_THROW throws. The names f and ud are
** the parameters of luaD_rawrunprotected, the only place where Lua uses LUAI_TRY.
*/
#define luai_jmpbuf int
#define LUAI_THROW(L, c) (core_note_throw((L), (c)->status), __builtin_wasm_throw(0, (void *)(c)))
#define LUAI_TRY(L, c, a) (void)(c), core_protected((f), (L), (ud))

/* A switch becomes one br_table; computed goto would become a chain of them. */
#define LUA_USE_JUMPTABLE 0

/* Tables iterate in the same order in every run; Lua would seed from the time and an address. */
#define luai_makeseed(L) 0x4c756121u

/* Integers as text: a hot path of tostring and .., so not through snprintf. */
extern int core_format_integer(char *buffer, long long value);
#undef lua_integer2str
#define lua_integer2str(s, sz, n) ((void)(sz), core_format_integer((s), (n)))

/* What the program writes goes to the host, by way of output.zig. */
extern void core_write(int stream, const char *text, size_t length);
extern void core_write_error(const char *format, const char *argument);
#define lua_writestring(s, l) core_write(0, (s), (l))
#define lua_writeline() core_write(0, "\n", 1)
#define lua_writestringerror(s, p) core_write_error((s), (const char *)(p))

/* Modules are found by the host in the folders of the workspace; there are no dynamic libraries. */
#undef LUA_PATH_DEFAULT
#undef LUA_CPATH_DEFAULT
#define LUA_PATH_DEFAULT "?.lua;?/init.lua"
#define LUA_CPATH_DEFAULT ""

#endif
