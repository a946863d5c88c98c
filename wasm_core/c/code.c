/*
** See code.h. Three tables know prototypes without keeping them: prototype -> place in a source text,
** prototype -> id of stored code, id -> prototype. A prototype never gets to a program, but it is a
** collectable object like others, which is all that weak tables ask of keys and values.
*/
#define LUA_CORE

#include "lprefix.h"

#include "lua.h"
#include "lauxlib.h"
#include "lapi.h"
#include "ldo.h"
#include "lfunc.h"
#include "lgc.h"
#include "lobject.h"
#include "lparser.h"
#include "lstate.h"
#include "ltable.h"

#include "code.h"

unsigned int core_source_serial;
unsigned int core_code_trusted;

static char places_key, ids_key, prototypes_key;

static void new_weak_table(lua_State *L, const void *key, const char *mode) {
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, mode);
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void core_code_open(lua_State *L) {
  new_weak_table(L, &places_key, "k");
  core_code_forget(L);
}

void core_code_forget(lua_State *L) {
  new_weak_table(L, &ids_key, "k");
  new_weak_table(L, &prototypes_key, "v");
}

static Table *push_table(lua_State *L, const void *key) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  return hvalue(s2v(L->top.p - 1));
}

static Proto *prototype_at(lua_State *L, int index) {
  const void *closure = lua_topointer(L, index);
  return ((const LClosure *)closure)->p;
}

static void set_by_prototype(lua_State *L, Table *table, Proto *p, lua_Integer value) {
  TValue key, number;
  setgcovalue(L, &key, obj2gco(p));
  setivalue(&number, value);
  luaH_set(L, table, &key, &number);
  luaC_barrierback(L, obj2gco(table), &key);
}

static lua_Integer get_by_prototype(lua_State *L, const void *table_key, int function) {
  Table *table = push_table(L, table_key);
  TValue key;
  setgcovalue(L, &key, obj2gco(prototype_at(L, function < 0 ? function - 1 : function)));
  const TValue *found = luaH_get(table, &key);
  lua_Integer value = ttisinteger(found) ? ivalue(found) : 0;
  lua_pop(L, 1);
  return value;
}

/* A place is one integer: the serial above, the ordinal below, and 1 so that it is never 0. */
#define PLACE(serial, ordinal) (((lua_Integer)(serial) << 24 | (ordinal)) << 1 | 1)
#define ORDINAL_MAX ((1u << 24) - 1)

/* Returns the number that follows. The depth of nested functions is limited by the parser. */
static unsigned int place_tree(lua_State *L, Table *places, Proto *p, unsigned int serial,
                               unsigned int ordinal) {
  if (ordinal <= ORDINAL_MAX) set_by_prototype(L, places, p, PLACE(serial, ordinal));
  ordinal++;
  for (int i = 0; i < p->sizep; i++) ordinal = place_tree(L, places, p->p[i], serial, ordinal);
  return ordinal;
}

/* Takes the place of luaY_parser in ldo.c: notes where each function of the chunk stands. */
LClosure *core_parser(lua_State *L, ZIO *z, Mbuffer *buffer, Dyndata *data, const char *name,
                      int first);

LClosure *core_parser(lua_State *L, ZIO *z, Mbuffer *buffer, Dyndata *data, const char *name,
                      int first) {
  LClosure *closure = luaY_parser(L, z, buffer, data, name, first);
  /* Without a number, the text is only known if Lua itself has it, as the chunk's name. */
  if (core_source_serial != 0 || (name[0] != '@' && name[0] != '=')) {
    luaD_checkstack(L, 1);
    place_tree(L, push_table(L, &places_key), closure->p, core_source_serial, 0);
    lua_pop(L, 1);
  }
  return closure;
}

int core_code_place(lua_State *L, int function, unsigned int *serial, unsigned int *ordinal) {
  lua_Integer place = get_by_prototype(L, &places_key, function);
  *serial = (unsigned int)(place >> 25);
  *ordinal = (unsigned int)(place >> 1) & ORDINAL_MAX;
  return place != 0;
}

void core_code_placed(lua_State *L, int function, unsigned int serial, unsigned int ordinal) {
  Proto *p = prototype_at(L, function);
  place_tree(L, push_table(L, &places_key), p, serial, ordinal);
  lua_pop(L, 1);
}

lua_Integer core_code_id(lua_State *L, int function) {
  return get_by_prototype(L, &ids_key, function);
}

void core_code_remember(lua_State *L, int function, lua_Integer id) {
  Proto *p = prototype_at(L, function);
  set_by_prototype(L, push_table(L, &ids_key), p, id);
  Table *prototypes = push_table(L, &prototypes_key);
  TValue value;
  setgcovalue(L, &value, obj2gco(p));
  luaH_setint(L, prototypes, id, &value);
  luaC_barrierback(L, obj2gco(prototypes), &value);
  lua_pop(L, 2);
}

int core_code_push(lua_State *L, lua_Integer id) {
  const TValue *found = luaH_getint(push_table(L, &prototypes_key), id);
  if (ttisnil(found)) {
    lua_pop(L, 1);
    return 0;
  }
  Proto *p = (Proto *)gcvalue(found);
  /* Perhaps only weakly held until now: on the stack, a collection does not take it. */
  setobj2s(L, L->top.p - 1, found);
  LClosure *closure = luaF_newLclosure(L, p->sizeupvalues);
  closure->p = p;
  setclLvalue2s(L, L->top.p - 1, closure);
  luaF_initupvals(L, closure);
  return 1;
}
