/*
** Runs benchmark programs on stock Lua, one state a program, and times them.
**
** Requests come as lines on stdin, tab between the fields; each is answered by one line on stdout:
**   load NAME PATH  ->  ok                compile the file once, in a state of its own
**   run NAME        ->  ok WALL CPU TEXT  collect garbage, then time one call; seconds and the result
**   close NAME      ->  ok
** Anything that fails is answered by `error MESSAGE`.
*/

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lua.h"
#include "lauxlib.h"
#include "lualib.h"

#define PROGRAMS_MAX 64
#define NAME_SIZE_MAX 64
#define LINE_SIZE_MAX 4096

typedef struct Program {
  char name[NAME_SIZE_MAX];
  lua_State *L;  /* the compiled chunk is the one value on its stack */
} Program;

static Program programs[PROGRAMS_MAX];

static double now_s (clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail (const char *message) {
  printf("error\t%s\n", message);
}

static Program *find (const char *name) {
  int i;
  for (i = 0; i < PROGRAMS_MAX; i++) {
    if (programs[i].L != NULL && strcmp(programs[i].name, name) == 0)
      return &programs[i];
  }
  return NULL;
}

static void load (const char *name, const char *path) {
  Program *program = NULL;
  int i;
  for (i = 0; i < PROGRAMS_MAX && program == NULL; i++) {
    if (programs[i].L == NULL) program = &programs[i];
  }
  if (program == NULL || strlen(name) >= NAME_SIZE_MAX) {
    fail("too many programs, or too long a name");
    return;
  }
  program->L = luaL_newstate();
  if (program->L == NULL) {
    fail("not enough memory");
    return;
  }
  strcpy(program->name, name);
  luaL_openlibs(program->L);
  if (luaL_loadfile(program->L, path) != LUA_OK) {
    fail(lua_tostring(program->L, -1));
    lua_close(program->L);
    program->L = NULL;
    return;
  }
  printf("ok\n");
}

static void run (const char *name) {
  Program *program = find(name);
  double wall, cpu;
  int status;
  if (program == NULL) {
    fail("no such program");
    return;
  }
  lua_gc(program->L, LUA_GCCOLLECT);
  lua_pushvalue(program->L, 1);
  wall = now_s(CLOCK_MONOTONIC);
  cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
  status = lua_pcall(program->L, 0, 1, 0);
  cpu = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  wall = now_s(CLOCK_MONOTONIC) - wall;
  if (status == LUA_OK)
    printf("ok\t%.9f\t%.9f\t%s\n", wall, cpu, luaL_tolstring(program->L, -1, NULL));
  else
    fail(lua_tostring(program->L, -1));
  lua_settop(program->L, 1);
}

static void close_program (const char *name) {
  Program *program = find(name);
  if (program == NULL) {
    fail("no such program");
    return;
  }
  lua_close(program->L);
  program->L = NULL;
  printf("ok\n");
}

int main (void) {
  char line[LINE_SIZE_MAX];
  while (fgets(line, sizeof(line), stdin) != NULL) {
    const char *verb = strtok(line, "\t\n");
    const char *name = strtok(NULL, "\t\n");
    const char *path = strtok(NULL, "\t\n");
    if (verb != NULL && name != NULL && strcmp(verb, "load") == 0 && path != NULL)
      load(name, path);
    else if (verb != NULL && name != NULL && strcmp(verb, "run") == 0)
      run(name);
    else if (verb != NULL && name != NULL && strcmp(verb, "close") == 0)
      close_program(name);
    else
      fail("unknown request");
    fflush(stdout);
  }
  return 0;
}
