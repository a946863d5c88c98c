/*
** What the core needs of Lua's internal headers, and nothing more. Only internals.c and hot.c know
** them; the Zig side sees the plain functions and structs declared here.
*/
#ifndef LUA_PERSIST_INTERNALS_H
#define LUA_PERSIST_INTERNALS_H

#include "lua.h"

/* What an interrupted program sees as the error, should it catch it. */
#define CORE_INTERRUPTED "interrupted"

/*
** Words that the host reads and writes in linear memory while a Lua program runs, to interrupt it.
*/
typedef struct core_Control {
  lua_State *running;     /* the state that runs now; NULL outside of protected calls */
  unsigned int interrupt; /* the host sets it; then every state that is entered gets the hook */
  unsigned int bytecode;  /* which binary chunks may be loaded; one of those below */
} core_Control;

extern core_Control core_control;

/* As protocol.zig numbers them. */
#define CORE_BYTECODE_REFUSED 0
#define CORE_BYTECODE_ALLOWED 1
#define CORE_BYTECODE_SIGNED 2

/*
** Where the host finds, in a running lua_State, the fields that lua_sethook would write. (Lua allows
** lua_sethook to be called asynchronously, from a signal handler; the host does the same from
** another thread.)
*/
typedef struct core_HookLayout {
  unsigned int hook_function;
  unsigned int hook;
  unsigned int base_hook_count;
  unsigned int hook_count;
  unsigned int hook_mask;
  unsigned int mask_count;
  unsigned int call_info;
  unsigned int previous;
  unsigned int call_status;
  unsigned int call_status_c;
  unsigned int trap;
} core_HookLayout;

void core_hook_layout(core_HookLayout *layout);

/* Makes the next instruction that this state executes raise "interrupted". */
void core_arm(lua_State *L);

/* Notes where an interrupt is raised, which may be in a coroutine (trace.zig). */
void core_note_interrupt(lua_State *L);

/* Notes where a memory error is raised (trace.zig). */
void core_note_memory_error(lua_State *L);

int core_try(void (*f)(lua_State *, void *), lua_State *L, void *ud);

/*
** The Lua function at the top, and those in it, have no lines and no names of locals any more, so that
** errors are placed where they were called. Their chunk is named "=[C]".
*/
void core_conceal(lua_State *L);

int core_is_concealed(lua_State *L, int function);

/*
** For the debug library: programs do not get hold of such functions, nor of what they have in locals and
** upvalues.
*/
int core_getinfo(lua_State *L, const char *what, lua_Debug *ar);
const char *core_getlocal(lua_State *L, const lua_Debug *ar, int n);
const char *core_setlocal(lua_State *L, const lua_Debug *ar, int n);
const char *core_getupvalue(lua_State *L, int function, int n);
const char *core_setupvalue(lua_State *L, int function, int n);
void *core_upvalueid(lua_State *L, int function, int n);

/* How many values the stack of this state has room for. */
int core_stack_slots(lua_State *L);

/* How Lua names a chunk in messages: writes at most LUA_IDSIZE bytes with a final NUL. */
void core_chunk_id(char *out, const char *source, size_t length);

#endif
