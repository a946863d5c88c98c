/*
** The files in which a Lua program spends its time, as one translation unit at -O3, so that they
** inline into each other. The rest is compiled for size (see build.py).
*/
#define LUA_CORE
#define LUA_LIB

#include "lprefix.h"

#include "lua.h"
#include "ldo.h"
#include "lobject.h"
#include "lstate.h"

#include "internals.h"

/*
** The body of LUAI_TRY: publishes which lua_State runs, so that an interrupt finds it, and passes a
** pending interrupt on to the states that are entered and returned to.
*/
static inline void core_protected(void (*f)(lua_State *, void *), lua_State *L, void *ud) {
  lua_State *outer = core_control.running;
  core_control.running = L;
  if (__builtin_expect(core_control.interrupt, 0)) core_arm(L);
  core_try(f, L, ud);
  core_control.running = outer;
  if (__builtin_expect(core_control.interrupt, 0) && outer != NULL) core_arm(outer);
}

/* Memory errors have no message handler: their place is noted as they are thrown. */
static inline void core_note_throw(lua_State *L, int status) {
  if (__builtin_expect(status == LUA_ERRMEM, 0)) core_note_memory_error(L);
}

/*
** Declared again before they are defined, to steer inlining; each was measured (docs/architecture.md).
** A yield unwinds every frame between its throw and its catch: the fewer, the cheaper. And calls of
** Lua functions shall not pay for the registers that calls of C functions and rare ways out need.
*/
__attribute__((always_inline)) l_noret luaD_throw(lua_State *L, int errcode);
__attribute__((always_inline)) int lua_yieldk(lua_State *L, int nresults, lua_KContext ctx,
                                              lua_KFunction k);
static __attribute__((always_inline)) void unroll(lua_State *L, void *ud);
static __attribute__((noinline)) int precallC(lua_State *L, StkId func, int nresults,
                                              lua_CFunction f);
static __attribute__((noinline)) StkId tryfuncTM(lua_State *L, StkId func);
__attribute__((noinline)) int luaD_growstack(lua_State *L, int n, int raiseerror);

/* Every binary chunk passes through here, by whatever function it was loaded. */
#define luaU_undump core_undump
/* And every compiled one through here: code.c notes which text its functions stand in. */
#define luaY_parser core_parser

#include "ldo.c"

#undef luaU_undump
#undef luaY_parser

#include "lvm.c"
#include "lgc.c"
#include "ltable.c"
#include "lstring.c"
#include "lobject.c"
#include "lfunc.c"
#include "ltm.c"
#include "lmem.c"
#include "lapi.c"
#include "lauxlib.c"

/* External tables look like others to the base library (external.h). */
#include "external.h"
#define lua_next core_next
#define lua_rawget core_rawget
#define lua_rawset core_rawset
#define lua_rawlen core_rawlen
#define lua_getmetatable core_getmetatable
#define lua_setmetatable core_setmetatable
#include "lbaselib.c"
#undef lua_next
#undef lua_rawget
#undef lua_rawset
#undef lua_rawlen
#undef lua_getmetatable
#undef lua_setmetatable

#include "lcorolib.c"

/* The pattern matcher calls it for each character; in the "C" locale there is little to it. */
static inline int core_tolower(int c) { return (unsigned)c - 'A' < 26 ? c | 32 : c; }
#include <ctype.h>
#undef tolower
#define tolower(c) core_tolower(c)
#include "lstrlib.c"

/*
** string.rep of nothing, a great many times, is the one loop of Lua's C code that touches no memory;
** a host that stops the core by its memory could not stop it. Its result is known without a loop.
*/
int core_string_rep(lua_State *L) {
  size_t length, separator_length;
  luaL_checklstring(L, 1, &length);
  luaL_checkinteger(L, 2);
  luaL_optlstring(L, 3, "", &separator_length);
  if (length == 0 && separator_length == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  return str_rep(L);
}

#include "ltablib.c"
