# int core_try(void (*f)(lua_State *, void *), lua_State *L, void *ud)
#
# Calls f(L, ud) and returns 0, also when f was left by LUAI_THROW. What was thrown needs no look:
# luaD_throw has put the status into the lua_longjmp before it threw.

	.globaltype	__stack_pointer, i32
	.tabletype	__indirect_function_table, funcref
	.tagtype	__cpp_exception i32

	.section	.text.core_try,"",@
	.hidden	core_try
	.globl	core_try
	.type	core_try,@function
core_try:
	.functype	core_try (i32, i32, i32) -> (i32)
	.local		i32
	global.get	__stack_pointer
	local.set	3
	block		i32
	try_table	(catch __cpp_exception 0)
	local.get	1
	local.get	2
	local.get	0
	call_indirect	(i32, i32) -> ()
	end_try_table
	i32.const	0
	return
	end_block
	# Unwinding skips the epilogues that would have restored the shadow stack.
	local.get	3
	global.set	__stack_pointer
	end_function

	.section	.text.core_tag,"",@
	.globl	__cpp_exception
__cpp_exception:
