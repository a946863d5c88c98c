/*
** The files in which a Lua program spends its time, as one translation unit at -O2, so that they
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
** Calls of Lua functions are the dearest thing relative to native code; in line, they lose the
** prologue and most of the spills of a wasm call. Calls of C functions stay out of line.
*/
LUAI_FUNC CallInfo *luaD_precall(lua_State *L, StkId func, int nResults)
    __attribute__((always_inline));
static inline int precallC(lua_State *L, StkId func, int nresults, lua_CFunction f)
    __attribute__((noinline));

/* Every binary chunk passes through here, by whatever function it was loaded. */
#define luaU_undump core_undump

#include "ldo.c"

#undef luaU_undump

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
#include "lbaselib.c"
#include "lstrlib.c"
#include "ltablib.c"
