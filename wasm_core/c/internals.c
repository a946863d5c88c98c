/*
** The one file beside hot.c that reads Lua's internal headers: for the address of the hook fields
** (an interrupt is written by the host), for binary chunks (refused unless allowed), and for chunk
** names without a running function. Everything else goes through the public API.
*/
#include "lprefix.h"

#include <stddef.h>
#include <string.h>

#include "lua.h"
#include "lauxlib.h"

#include "ldebug.h"
#include "ldo.h"
#include "lmem.h"
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

/* In Zig (chunks.zig). */
int core_chunk_refused(lua_State *L, const char *bytes, size_t length);

typedef struct Gathered {
  const char *bytes;
  size_t length;
} Gathered;

/*
** Pushes a userdata with the whole chunk, of which the first byte was read already. The program may
** be asked for more of it, piece by piece.
*/
static Gathered gather(lua_State *L, ZIO *z) {
  size_t size = z->n + 1, length = 1;
  luaL_checkstack(L, 4, NULL);
  char *bytes = lua_newuserdatauv(L, size, 0);
  bytes[0] = LUA_SIGNATURE[0];
  for (;;) {
    memcpy(bytes + length, z->p, z->n);
    length += z->n;
    if (luaZ_fill(z) == EOZ) break;
    z->n++; z->p--; /* luaZ_fill has taken the first byte */
    if (z->n > size - length) {
      size = length + (z->n > length ? z->n : length);
      char *larger = lua_newuserdatauv(L, size, 0);
      memcpy(larger, bytes, length);
      bytes = larger;
      lua_remove(L, -2);
    }
  }
  return (Gathered){bytes, length};
}

static const char *next_piece(lua_State *L, void *context, size_t *size) {
  Gathered *gathered = context;
  (void)L;
  *size = gathered->length;
  gathered->length = 0;
  return gathered->bytes;
}

/* The sentence at the top tells why. */
static l_noret refuse(lua_State *L, const char *name, const char *reason) {
  if (*name == '@' || *name == '=') name++;
  else if (*name == LUA_SIGNATURE[0]) name = "binary string";
  luaO_pushfstring(L, "cannot load the binary chunk '%s': this session loads Lua source only%s", name,
                   reason);
  luaD_throw(L, LUA_ERRSYNTAX);
}

LClosure *core_undump(lua_State *L, ZIO *Z, const char *name);

LClosure *core_undump(lua_State *L, ZIO *Z, const char *name) {
  if (core_control.bytecode == CORE_BYTECODE_ALLOWED || core_code_trusted)
    return luaU_undump(L, Z, name);
  if (core_control.bytecode != CORE_BYTECODE_SIGNED) refuse(L, name, "");
  Gathered chunk = gather(L, Z);
  if (core_chunk_refused(L, chunk.bytes, chunk.length)) {
    const char *reason = lua_pushfstring(L, ", and what its own store has signed: %s",
                                         lua_tostring(L, -1));
    refuse(L, name, reason);
  }
  ZIO z;
  luaZ_init(L, &z, next_piece, &chunk);
  zgetc(&z); /* the signature's first byte, which luaU_undump does not want */
  LClosure *closure = luaU_undump(L, &z, name);
  lua_remove(L, -2); /* the chunk, below the closure */
  return closure;
}

static void conceal(lua_State *L, Proto *p) {
  luaM_freearray(L, p->lineinfo, p->sizelineinfo);
  luaM_freearray(L, p->abslineinfo, p->sizeabslineinfo);
  luaM_freearray(L, p->locvars, p->sizelocvars);
  p->lineinfo = NULL;
  p->abslineinfo = NULL;
  p->locvars = NULL;
  p->sizelineinfo = p->sizeabslineinfo = p->sizelocvars = 0;
  for (int i = 0; i < p->sizep; i++) conceal(L, p->p[i]);
}

void core_conceal(lua_State *L) { conceal(L, clLvalue(s2v(L->top.p - 1))->p); }

/*
** Whether it is a function without lines that says it is one of C, as core_conceal leaves them. Others
** have a line at least, or have lost the name as well.
*/
static int is_concealed_proto(const Proto *p) {
  return p->lineinfo == NULL && p->source != NULL && strcmp(getstr(p->source), "=[C]") == 0;
}

static int is_concealed(const TValue *value) {
  return ttisLclosure(value) && is_concealed_proto(clLvalue(value)->p);
}

int core_is_concealed(lua_State *L, int function) {
  if (lua_type(L, function) != LUA_TFUNCTION || lua_iscfunction(L, function)) return 0;
  return is_concealed_proto(((const LClosure *)lua_topointer(L, function))->p);
}

const char *core_getupvalue(lua_State *L, int function, int n) {
  return core_is_concealed(L, function) ? NULL : lua_getupvalue(L, function, n);
}

const char *core_setupvalue(lua_State *L, int function, int n) {
  return core_is_concealed(L, function) ? NULL : lua_setupvalue(L, function, n);
}

void *core_upvalueid(lua_State *L, int function, int n) {
  return core_is_concealed(L, function) ? NULL : lua_upvalueid(L, function, n);
}

int core_getinfo(lua_State *L, const char *what, lua_Debug *ar) {
  int result = lua_getinfo(L, what, ar);
  if (*what != '>' && strchr(what, 'f')) {
    TValue *function = s2v(L->top.p - (strchr(what, 'L') ? 2 : 1));
    if (is_concealed(function)) setnilvalue(function);
  }
  return result;
}

const char *core_getlocal(lua_State *L, const lua_Debug *ar, int n) {
  if (ar != NULL && is_concealed(s2v(ar->i_ci->func.p))) return NULL;
  return lua_getlocal(L, ar, n);
}

const char *core_setlocal(lua_State *L, const lua_Debug *ar, int n) {
  if (!is_concealed(s2v(ar->i_ci->func.p))) return lua_setlocal(L, ar, n);
  lua_pop(L, 1);
  return NULL;
}

int core_stack_slots(lua_State *L) { return stacksize(L); }

void core_chunk_id(char *out, const char *source, size_t length) { luaO_chunkid(out, source, length); }
