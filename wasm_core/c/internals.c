/*
** The one file beside hot.c that reads Lua's internal headers: for the address of the hook fields
** (an interrupt is written by the host), for binary chunks (refused unless allowed), and for chunk
** names without a running function. Everything else goes through the public API.
*/
#include "lprefix.h"

#include <stddef.h>

#include "lua.h"
#include "lauxlib.h"

#include "ldebug.h"
#include "ldo.h"
#include "lobject.h"
#include "lstate.h"
#include "lundump.h"
#include "lzio.h"

#include "code.h"
#include "internals.h"

core_Control core_control;

/*
** Raises the interrupt. The message is anchored in the registry by its first use at start, so
** nothing is allocated here.
*/
static void interrupt_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  core_note_interrupt(L);
  lua_pushliteral(L, CORE_INTERRUPTED);
  lua_error(L);
}

void core_arm(lua_State *L) { lua_sethook(L, interrupt_hook, LUA_MASKCOUNT, 1); }

void core_hook_layout(core_HookLayout *layout) {
  layout->hook_function = (unsigned int)(size_t)&interrupt_hook;
  layout->hook = offsetof(lua_State, hook);
  layout->base_hook_count = offsetof(lua_State, basehookcount);
  layout->hook_count = offsetof(lua_State, hookcount);
  layout->hook_mask = offsetof(lua_State, hookmask);
  layout->mask_count = LUA_MASKCOUNT;
  layout->call_info = offsetof(lua_State, ci);
  layout->previous = offsetof(CallInfo, previous);
  layout->call_status = offsetof(CallInfo, callstatus);
  layout->call_status_c = CIST_C;
  layout->trap = offsetof(CallInfo, u.l.trap);
}

LClosure *core_undump(lua_State *L, ZIO *Z, const char *name);

LClosure *core_undump(lua_State *L, ZIO *Z, const char *name) {
  if (!core_control.bytecode && !core_code_trusted) {
    if (*name == '@' || *name == '=') name++;
    else if (*name == LUA_SIGNATURE[0]) name = "binary string";
    luaO_pushfstring(L, "cannot load the binary chunk '%s': this session loads Lua source only", name);
    luaD_throw(L, LUA_ERRSYNTAX);
  }
  return luaU_undump(L, Z, name);
}

int core_stack_slots(lua_State *L) { return stacksize(L); }

void core_chunk_id(char *out, const char *source, size_t length) { luaO_chunkid(out, source, length); }
