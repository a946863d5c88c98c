/*
** See external.h.
*/
#define LUA_CORE

#include "lprefix.h"

#include <string.h>

#include "lua.h"
#include "lauxlib.h"
#include "lapi.h"
#include "ldo.h"
#include "lfunc.h"
#include "lgc.h"
#include "lmem.h"
#include "lobject.h"
#include "lstate.h"
#include "ltable.h"
#include "ltm.h"

#include "external.h"

const void *core_external_marker;

static const TValue *value_at(lua_State *L, int index) {
  if (index > 0) return s2v(L->ci->func.p + index);
  if (index > LUA_REGISTRYINDEX) return s2v(L->top.p + index);
  CClosure *running = clCvalue(s2v(L->ci->func.p));
  return &running->upvalue[LUA_REGISTRYINDEX - index - 1];
}

int core_is_external(lua_State *L, int index) {
  const TValue *value = value_at(L, index);
  if (!ttistable(value)) return 0;
  const Table *meta = hvalue(value)->metatable;
  return meta != NULL && meta->metatable == core_external_marker;
}

void core_swap_contents(lua_State *L, int first, int second) {
  Table *a = hvalue(value_at(L, first));
  Table *b = hvalue(value_at(L, second));
  const lu_byte real_size = (lu_byte)~maskflags; /* ltable.c: alimit is not the array's real size */
  lu_byte a_flags = a->flags & real_size, b_flags = b->flags & real_size;
  TValue *array = a->array;
  unsigned int limit = a->alimit;
  Node *node = a->node, *last = a->lastfree;
  lu_byte size = a->lsizenode;
  a->array = b->array; a->alimit = b->alimit; a->node = b->node; a->lastfree = b->lastfree;
  a->lsizenode = b->lsizenode; a->flags = b_flags;
  b->array = array; b->alimit = limit; b->node = node; b->lastfree = last;
  b->lsizenode = size; b->flags = a_flags;
  /* Either may have been traversed by the collector already, and now has other values. */
  if (isblack(a)) luaC_barrierback_(L, obj2gco(a));
  if (isblack(b)) luaC_barrierback_(L, obj2gco(b));
}

void core_push_copy(lua_State *L, int index) {
  const Table *model = hvalue(value_at(L, index));
  unsigned int array_size = luaH_realasize(model);
  unsigned int node_count = isdummy(model) ? 0 : (unsigned int)sizenode(model);
  Table *copy = luaH_new(L);
  sethvalue2s(L, L->top.p, copy);
  api_incr_top(L);
  luaH_resize(L, copy, array_size, node_count);
  memcpy(copy->array, model->array, array_size * sizeof(TValue));
  if (node_count > 0) {
    memcpy(copy->node, model->node, node_count * sizeof(Node));
    copy->lastfree = copy->node + (model->lastfree - model->node);
  }
  copy->flags = model->flags & maskflags;
  copy->metatable = model->metatable;
  luaC_checkGC(L);
}

/* A bit of gcstp that Lua does not use itself. */
#define PAUSED 0x40

void core_pause_collector(lua_State *L) { G(L)->gcstp |= PAUSED; }

void core_resume_collector(lua_State *L) {
  G(L)->gcstp &= (lu_byte)~PAUSED;
  /* A loop in a C function, as that of table.sort, may have no other place where it is collected. */
  luaC_checkGC(L);
}

int core_allow_hooks(lua_State *L, int allowed) {
  const int before = L->allowhook;
  L->allowhook = (lu_byte)allowed;
  return before;
}

/* As when memory is short: also while the collector is paused, and without finalizers. */
void core_collect_quietly(lua_State *L) { luaC_fullgc(L, 1); }

void core_check_stack(lua_State *L, int count) {
  if (lua_checkstack(L, count)) return;
  if (stacksize(L) + count < LUAI_MAXSTACK) luaM_error(L);
  luaL_error(L, "stack overflow");
}

/* Enough for flushing and for loading a function, one inside of the other. */
#define C_CALLS_KEPT 15

void core_check_room(lua_State *L, int count) {
  if (getCcalls(L) > LUAI_MAXCCALLS - C_CALLS_KEPT) luaL_error(L, "C stack overflow");
  core_check_stack(L, count);
}

_Noreturn void core_raise_memory(lua_State *L) { luaM_error(L); }

size_t core_bytes_in_use(lua_State *L) { return gettotalbytes(G(L)); }

enum { CELL_VALUE, CELL_SAVED, CELL_ID, CELL_UPVALUES };

static LClosure *cell_at(lua_State *L, int index) { return clLvalue(value_at(L, index)); }

/* A light userdata is nothing that a program's variable can hold. */
static char nothing_saved;

void core_cell_new(lua_State *L, int function, int n, lua_Integer id) {
  LClosure *cell = luaF_newLclosure(L, CELL_UPVALUES);
  setclLvalue2s(L, L->top.p, cell);
  api_incr_top(L);
  luaF_initupvals(L, cell);
  LClosure *source = clLvalue(value_at(L, function < 0 ? function - 1 : function));
  cell->upvals[CELL_VALUE] = source->upvals[n - 1];
  luaC_objbarrier(L, cell, cell->upvals[CELL_VALUE]);
  setpvalue(cell->upvals[CELL_SAVED]->v.p, &nothing_saved);
  setivalue(cell->upvals[CELL_ID]->v.p, id);
  luaC_checkGC(L);
}

lua_Integer core_cell_id(lua_State *L, int cell) {
  return ivalue(cell_at(L, cell)->upvals[CELL_ID]->v.p);
}

int core_cell_changed(lua_State *L, int index) {
  const LClosure *cell = cell_at(L, index);
  const TValue *now = cell->upvals[CELL_VALUE]->v.p;
  const TValue *saved = cell->upvals[CELL_SAVED]->v.p;
  if (rawtt(now) != rawtt(saved)) return 1;
  switch (ttypetag(now)) {
    case LUA_VNIL: case LUA_VFALSE: case LUA_VTRUE: return 0;
    case LUA_VNUMINT: return ivalue(now) != ivalue(saved);
    case LUA_VNUMFLT: {
      /* Bit by bit: a changed sign of zero or payload of a NaN is a change. */
      union { lua_Number n; unsigned long long bits; } a, b;
      a.n = fltvalue(now);
      b.n = fltvalue(saved);
      return a.bits != b.bits;
    }
    case LUA_VLCF: return fvalue(now) != fvalue(saved);
    case LUA_VLIGHTUSERDATA: return pvalue(now) != pvalue(saved);
    default: return gcvalue(now) != gcvalue(saved);
  }
}

void core_cell_value(lua_State *L, int index) {
  setobj2s(L, L->top.p, cell_at(L, index)->upvals[CELL_VALUE]->v.p);
  api_incr_top(L);
}

void core_cell_set(lua_State *L, int index) {
  UpVal *upvalue = cell_at(L, index)->upvals[CELL_VALUE];
  setobj(L, upvalue->v.p, s2v(L->top.p - 1));
  luaC_barrier(L, upvalue, s2v(L->top.p - 1));
  L->top.p--;
}

void core_cell_saved(lua_State *L, int index) {
  LClosure *cell = cell_at(L, index);
  UpVal *saved = cell->upvals[CELL_SAVED];
  const TValue *now = cell->upvals[CELL_VALUE]->v.p;
  setobj(L, saved->v.p, now);
  luaC_barrier(L, saved, now);
}

void core_cell_join(lua_State *L, int index, int function, int n) {
  LClosure *target = clLvalue(value_at(L, function));
  target->upvals[n - 1] = cell_at(L, index)->upvals[CELL_VALUE];
  luaC_objbarrier(L, target, target->upvals[n - 1]);
}

/*
** An upvalue as the key of a weak table. No program can have one as a value, but tables and the
** collector take any object.
*/
static void upvalue_key(lua_State *L, TValue *key, UpVal *upvalue) {
  val_(key).gc = obj2gco(upvalue);
  settt_(key, ctb(LUA_VUPVAL));
}

int core_cell_of_upvalue(lua_State *L, int table, int function, int n) {
  TValue key;
  upvalue_key(L, &key, clLvalue(value_at(L, function))->upvals[n - 1]);
  const TValue *cell = luaH_get(hvalue(value_at(L, table)), &key);
  if (isempty(cell)) return 0;
  setobj2s(L, L->top.p, cell);
  api_incr_top(L);
  return 1;
}

void core_cell_remember(lua_State *L, int index, int cell) {
  TValue key;
  Table *table = hvalue(value_at(L, index));
  upvalue_key(L, &key, cell_at(L, cell)->upvals[CELL_VALUE]);
  luaH_set(L, table, &key, value_at(L, cell));
  luaC_barrierback(L, obj2gco(table), value_at(L, cell));
}

int core_upvalue_count(lua_State *L, int index) {
  const TValue *value = value_at(L, index);
  return ttisLclosure(value) ? clLvalue(value)->nupvalues : -1;
}

/* In Zig (base.zig); called for external tables only. */
int core_external_next(lua_State *L, int index);
int core_external_rawget(lua_State *L, int index);
void core_external_rawset(lua_State *L, int index);
lua_Unsigned core_external_rawlen(lua_State *L, int index);
int core_external_getmetatable(lua_State *L, int index);
int core_external_setmetatable(lua_State *L, int index);
void core_external_as_metatable(lua_State *L, int index);
void core_upvalues_joined(lua_State *L, int function);

int core_next(lua_State *L, int index) {
  return core_is_external(L, index) ? core_external_next(L, index) : lua_next(L, index);
}

int core_rawget(lua_State *L, int index) {
  return core_is_external(L, index) ? core_external_rawget(L, index) : lua_rawget(L, index);
}

void core_rawset(lua_State *L, int index) {
  if (core_is_external(L, index)) core_external_rawset(L, index);
  else lua_rawset(L, index);
}

lua_Unsigned core_rawlen(lua_State *L, int index) {
  return core_is_external(L, index) ? core_external_rawlen(L, index) : lua_rawlen(L, index);
}

int core_getmetatable(lua_State *L, int index) {
  return core_is_external(L, index) ? core_external_getmetatable(L, index)
                                    : lua_getmetatable(L, index);
}

int core_setmetatable(lua_State *L, int index) {
  if (core_is_external(L, index)) return core_external_setmetatable(L, index);
  if (core_is_external(L, -1)) core_external_as_metatable(L, -1);
  return lua_setmetatable(L, index);
}

void core_upvaluejoin(lua_State *L, int f1, int n1, int f2, int n2) {
  lua_upvaluejoin(L, f1, n1, f2, n2);
  core_upvalues_joined(L, f1);
}
