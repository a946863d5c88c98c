/*
** External tables, as far as they need Lua's internal headers: what makes a table external, the
** exchange of two tables' contents, and cells. The rest of them is in Zig (external.zig).
*/
#ifndef LUA_PERSIST_EXTERNAL_H
#define LUA_PERSIST_EXTERNAL_H

#include "lua.h"

/* The hidden metatable of every external table has this table as its own metatable. */
extern const void *core_external_marker;

/* Whether the value at this index is an external table. */
int core_is_external(lua_State *L, int index);

/* Exchanges the entries of two tables; metatables and identities stay. Allocates nothing. */
void core_swap_contents(lua_State *L, int first, int second);

/*
** Pushes a table with the entries of the one at this index, copied as they lie there: much faster than
** putting in one after the other. The metatable is the same, too.
*/
void core_push_copy(lua_State *L, int index);

/*
** Keeps the collector from running, and finalizers with it, except when memory is short; and lets it
** run again. Unlike lua_gc, neither changes when it is due.
*/
void core_pause_collector(lua_State *L);
void core_resume_collector(lua_State *L);

/* Whether hooks are called, that of interrupts included. Returns what it was. An error restores it. */
int core_allow_hooks(lua_State *L, int allowed);

/* A full collection, also while the collector is kept from running; without finalizers. */
void core_collect_quietly(lua_State *L);

/* As luaL_checkstack; but where there is no memory for the stack, that is what the error says. */
void core_check_stack(lua_State *L, int count);

/* The same, and sees to it that some C functions can be called inside of each other. */
void core_check_room(lua_State *L, int count);

/* Raises the error that there is no memory. */
_Noreturn void core_raise_memory(lua_State *L);

/* Bytes that Lua's collector counts as in use, garbage included. */
size_t core_bytes_in_use(lua_State *L);

/*
** A cell keeps a persisted upvalue alive and recognizable: a Lua closure without a prototype (it is
** never called and never seen by a program) with three upvalues: the persisted one, a copy of the
** value that the store has, and the cell's id.
*/
void core_cell_new(lua_State *L, int function, int n, lua_Integer id); /* +1; nothing stored yet */
lua_Integer core_cell_id(lua_State *L, int cell);
int core_cell_changed(lua_State *L, int cell);        /* value differs from what is stored */
void core_cell_value(lua_State *L, int cell);         /* +1 */
void core_cell_set(lua_State *L, int cell);           /* -1; sets the upvalue */
void core_cell_saved(lua_State *L, int cell);         /* what the upvalue has now is stored */
void core_cell_join(lua_State *L, int cell, int function, int n); /* function's upvalue n is it */

/* Tables from upvalues to cells. */
int core_cell_of_upvalue(lua_State *L, int table, int function, int n); /* +1 and true if there is one */
void core_cell_remember(lua_State *L, int table, int cell);

/* Of the Lua function at this index, how many upvalues it has; -1 for anything else. */
int core_upvalue_count(lua_State *L, int function);

/*
** What the stock libraries call instead of the function of Lua's API with the same name, so that
** programs see external tables as they see others (build.py, hot.c).
*/
int core_next(lua_State *L, int index);
int core_rawget(lua_State *L, int index);
void core_rawset(lua_State *L, int index);
lua_Unsigned core_rawlen(lua_State *L, int index);
int core_getmetatable(lua_State *L, int index);
int core_setmetatable(lua_State *L, int index);
void core_upvaluejoin(lua_State *L, int f1, int n1, int f2, int n2);

#endif
