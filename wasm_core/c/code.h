/*
** Prototypes of functions, as far as persisting them needs Lua's internal headers: where the text of
** one stands, which stored code it is, and new functions of it.
*/
#ifndef LUA_PERSIST_CODE_H
#define LUA_PERSIST_CODE_H

#include "lua.h"

/* Creates the tables that know prototypes, in the registry. */
void core_code_open(lua_State *L);

/* Forgets which stored code prototypes are: somebody else may have removed it from the store. */
void core_code_forget(lua_State *L);

/* The source text that is being compiled, by the number that the host gave it; 0: none. */
extern unsigned int core_source_serial;

/* Not 0 while code of the store is loaded, which the store has signed. */
extern unsigned int core_code_trusted;

/*
** Of the Lua function at this index: the number of its source text, and its prototype's number in it,
** counted from 0 in the order in which the functions begin. 0 if it is not known.
*/
int core_code_place(lua_State *L, int function, unsigned int *serial, unsigned int *ordinal);

/* The id of the stored code that the function is of, 0 if there is none. */
lua_Integer core_code_id(lua_State *L, int function);

/* The function is of the stored code with this id. */
void core_code_remember(lua_State *L, int function, lua_Integer id);

/* The function, and all functions inside it, stand in this source text, from this number on. */
void core_code_placed(lua_State *L, int function, unsigned int serial, unsigned int ordinal);

/* Pushes a new function of the code with this id, its upvalues nil. 0: it is not in the VM. */
int core_code_push(lua_State *L, lua_Integer id);

#endif
