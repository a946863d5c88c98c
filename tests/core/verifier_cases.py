"""Chunks that break one rule of the verifier each, by what it says of them."""

from __future__ import annotations

from tests.core.assembler import HEADER, Function, abc, abx, asbx, ax, constant, jump, number

END = abc("RETURN0", 0, 1)
VARARG_END = abc("RETURN", 0, 1, 1)
FINE = Function([asbx("LOADI", 0, 42), abc("RETURN1", 0, 2), END])
INNER = Function([END])
SHORT, LONG = constant(b"name"), constant(b"x" * 41)
CAPTURES = Function([END], upvalues=[(1, 0, 0)])


def code(*instructions: int, **rest: object) -> Function:
    return Function([*instructions, END]).with_(**rest)


def vararg(*instructions: int, **rest: object) -> Function:
    prepare = abc("VARARGPREP", 0)
    return Function([prepare, *instructions, VARARG_END], is_vararg=1).with_(**rest)


def nested(function: Function, depth: int) -> Function:
    for _ in range(depth):
        function = Function([END], functions=[function])
    return function


NUMBERS = [asbx("LOADI", register, 1) for register in range(4)]
"""Four registers with numbers: what a loop needs."""
NILS = [abc("LOADNIL", 0, 7)]
RETURN_OPEN = abc("RETURN", 0, 0)
CALL_OPEN = abc("CALL", 0, 1, 0)


def generic_for(
    *body: int, prep: int = 0, call: int | None = None, loop: int | None = None
) -> list[int]:
    """`for ... in` over what is in registers 0 to 3."""
    length = len(body)
    return [
        *NILS,
        abx("TFORPREP", 0, length + prep),
        *body,
        abc("TFORCALL", 0, 0, 1) if call is None else call,
        abx("TFORLOOP", 0, length + 2) if loop is None else loop,
        abc("CLOSE", 0),
    ]


def closing(*instructions: int, **rest: object) -> Function:
    """A function that captures or closes, so that its return has to close."""
    return Function([*instructions, abc("RETURN", 0, 1, 0, 1)]).with_(**rest)


REFUSED: dict[str, list[bytes | Function]] = {
    # The chunk.
    "is not a binary chunk of Lua 5.4": [
        *(HEADER[:n] + b"\x7f" + FINE.chunk[n + 1 :] for n in range(1, len(HEADER))),
    ],
    "is truncated": [
        *(FINE.chunk[:length] for length in (1, 10, 31, 32, 40, len(FINE.chunk) - 1)),
        # More things than there are bytes for them.
        HEADER + b"\0" + bytes((0x80, 0x80, 0x80, 0, 0, 2)) + number(2**29) + b"\0" * 50,
        FINE.chunk.replace(b"\x80\x80\x80\x80\x80\x80\x80", b"\x7f\x7f\xff\x80\x80\x80\x80"),
    ],
    "is followed by something else": [FINE.chunk + b"\0"],
    "has not the number of upvalues that it tells": [HEADER + b"\1" + FINE.content],
    "has a number that is too large": [
        HEADER + b"\0" + b"\x80" + b"\x10\0\0\0\x80" + FINE.content[2:],
        HEADER + b"\0" + b"\x20\0\0\0\x80" + FINE.content[1:],
    ],
    "has a number in an unknown form": [HEADER + b"\0\0\x80" + FINE.content[1:]],
    "has functions nested too deeply": [nested(INNER, 200), nested(INNER, 300)],
    # Its functions.
    "has variable arguments of an unknown kind": [FINE.with_(is_vararg=2)],
    "has too few registers": [FINE.with_(registers=1), FINE.with_(registers=2, parameters=3)],
    "has no instructions": [Function([])],
    "has too many upvalues": [FINE.with_(upvalues=[(0, 0, 0)] * 256)],
    "has an upvalue of an unknown kind": [
        FINE.with_(upvalues=[(2, 0, 0)]),
        FINE.with_(upvalues=[(0, 0, 4)]),
    ],
    "has a constant of an unknown type": [FINE.with_(constants=[b"\x05"])],
    "has a constant string that is none": [FINE.with_(constants=[b"\x04\x80"])],
    "has a constant string of another length than it tells": [
        FINE.with_(constants=[b"\x14" + SHORT[1:]]),
        FINE.with_(constants=[b"\x04" + LONG[1:]]),
    ],
    # Debug information.
    "has lines for another number of instructions": [FINE.with_(lines=b"\0\0")],
    "has a line for an instruction that has another": [
        FINE.with_(lines=b"\0\0\0", absolute_lines=[(1, 5)]),
        FINE.with_(lines=b"\0\x80\0", absolute_lines=[(9, 5)]),
        FINE.with_(absolute_lines=[(0, 5)]),
    ],
    "has lines out of order": [FINE.with_(lines=b"\x80\x80\0", absolute_lines=[(1, 5), (0, 5)])],
    "has lines that are too far apart": [
        code(*NILS * 300, lines=b"\0" * 200 + b"\x80" + b"\0" * 100, absolute_lines=[(200, 5)])
    ],
    "lacks lines": [FINE.with_(lines=b"\0\x80\0"), code(*NILS * 300, lines=b"\0" * 301)],
    "has too many local variables": [FINE.with_(variables=[(b"x", 0, 0)] * 32768)],
    "has a local variable without a name": [FINE.with_(variables=[(None, 0, 1)])],
    "has a local variable with an impossible scope": [
        FINE.with_(variables=[(b"x", 2, 1)]),
        FINE.with_(variables=[(b"x", 0, 4)]),
        FINE.with_(variables=[(b"x", 2, 3), (b"x", 1, 3)]),
        FINE.with_(variables=[(b"x", 0, 2), (b"x", 1, 3)]),
    ],
    "has more local variables than registers": [
        FINE.with_(variables=[(b"x", 0, 3)] * 3, registers=2)
    ],
    "has names for another number of upvalues": [FINE.with_(names=[b"up"])],
    # Instructions by themselves.
    "is unknown": [code(83), code(127), Function([83])],
    "is the last and does not return": [Function([asbx("LOADI", 0, 1)])],
    "uses a register that the function does not have": [
        code(asbx("LOADI", 8, 1)),
        code(abc("MOVE", 0, 8)),
        code(abc("LOADNIL", 0, 8)),
        code(*NILS, abc("GETTABLE", 0, 0, 8)),
        code(*NILS, abc("SETTABLE", 0, 0, 8)),
        code(*NILS, abc("SELF", 7, 0, 0), constants=[SHORT]),
        code(*NILS, abc("CONCAT", 7, 2)),
        code(*NILS, abc("CALL", 7, 3, 1)),
        code(*NILS, abc("CALL", 7, 1, 3)),
        code(*NILS, abc("SETLIST", 7, 1)),
        code(*NILS, abx("FORPREP", 5, 0), abx("FORLOOP", 5, 1)),
        code(*NILS, abc("CLOSE", 9)),
        code(*NILS, abc("TBC", 8)),
        code(*NILS, abc("TESTSET", 8, 0), jump(0)),
        code(*NILS, abc("EQ", 0, 8), jump(0)),
        closing(*NILS, abx("TFORPREP", 2, 0), abc("TFORCALL", 2, 0, 1), abx("TFORLOOP", 2, 2)),
        closing(*NILS, abx("TFORPREP", 0, 0), abc("TFORCALL", 0, 0, 5), abx("TFORLOOP", 0, 2)),
        Function([*NILS, abc("RETURN", 0, 10)]),
        Function([*NILS, abc("RETURN1", 8)]),
        vararg(abc("VARARG", 7, 0, 3)),
        closing(abx("CLOSURE", 0, 0), functions=[CAPTURES.with_(upvalues=[(1, 8, 0)])]),
    ],
    "uses a constant that the function does not have": [
        code(abx("LOADK", 0, 1), constants=[SHORT]),
        code(abx("LOADKX", 0, 0), ax(1), constants=[SHORT]),
        code(*NILS, abc("EQK", 0, 1), jump(0), constants=[SHORT]),
        code(*NILS, abc("SETTABLE", 0, 0, 1, 1), constants=[SHORT]),
        code(*NILS, abc("GETFIELD", 0, 0, 0)),
        code(*NILS, abc("ADDK", 0, 0, 0), abc("MMBINK", 0, 0, 6)),
    ],
    "needs a short string as its constant": [
        code(*NILS, abc("GETFIELD", 0, 0, 0), constants=[LONG]),
        code(*NILS, abc("SETFIELD", 0, 0, 0), constants=[constant(1)]),
        code(abc("GETTABUP", 0, 0, 0), constants=[constant(None)], upvalues=[(0, 0, 0)]),
        code(*NILS, abc("SETTABUP", 0, 0, 0), constants=[constant(1.5)], upvalues=[(0, 0, 0)]),
    ],
    "needs a string as its constant": [
        code(*NILS, abc("SELF", 0, 0, 0, 1), constants=[constant(True)])
    ],
    "needs a number as its constant": [
        code(*NILS, abc("ADDK", 0, 0, 0), abc("MMBINK", 0, 0, 6), constants=[SHORT])
    ],
    "needs an integer as its constant": [
        code(*NILS, abc("BANDK", 0, 0, 0), abc("MMBINK", 0, 0, 13), constants=[constant(1.5)])
    ],
    "uses an upvalue that the function does not have": [
        code(abc("GETUPVAL", 0, 0)),
        code(*NILS, abc("SETUPVAL", 0, 1), upvalues=[(0, 0, 0)]),
        code(*NILS, abc("SETTABUP", 1, 0, 0), constants=[SHORT], upvalues=[(0, 0, 0)]),
        code(abx("CLOSURE", 0, 0), functions=[CAPTURES.with_(upvalues=[(0, 0, 0)])]),
    ],
    "makes a function that there is not": [code(abx("CLOSURE", 0, 1), functions=[INNER])],
    "concatenates fewer than two values": [code(*NILS, abc("CONCAT", 0, n)) for n in (0, 1)],
    "makes a table larger than what fills it": [
        code(abc("NEWTABLE", 0, 5), ax(0)),
        code(abc("NEWTABLE", 0, 255), ax(0)),
        code(abc("NEWTABLE", 0, 0, 255), ax(0)),
        code(abc("NEWTABLE", 0, 0, 0, 1), ax(2**25 - 1)),
    ],
    "fills a table with more than it can have": [
        code(
            abc("NEWTABLE", 0), ax(0), asbx("LOADI", 1, 1), abc("SETLIST", 0, 1, 0, 1), ax(2**20)
        )
    ],
    # Instructions and their neighbours.
    "has no extra argument": [
        code(abx("LOADKX", 0, 0), constants=[SHORT]),
        code(abc("NEWTABLE", 0)),
        code(*NILS, abc("SETLIST", 0, 1, 0, 1)),
    ],
    "does not tell whether it has an extra argument": [
        code(abc("NEWTABLE", 0), ax(1)),
        code(abc("NEWTABLE", 0, 0, 0, 1), ax(0)),
    ],
    "does not skip its counterpart": [
        code(abc("LFALSESKIP", 0)),
        code(abc("LFALSESKIP", 0), abc("LOADTRUE", 1)),
    ],
    "has not the metamethod that belongs to it": [
        code(*NILS, abc("ADD", 0, 1, 2)),
        code(*NILS, abc("ADD", 0, 1, 2), abc("MMBIN", 0, 2, 6)),
        code(*NILS, abc("ADD", 0, 1, 2), abc("MMBIN", 1, 0, 6)),
        code(*NILS, abc("ADD", 0, 1, 2), abc("MMBIN", 1, 2, 7)),
        code(*NILS, abc("ADD", 0, 1, 2), abc("MMBIN", 1, 2, 200)),
        code(*NILS, abc("ADD", 0, 1, 2), abc("MMBINI", 1, 2, 6)),
        code(*NILS, abc("ADDI", 0, 1, 2), abc("MMBINI", 1, 2, 8)),
        code(*NILS, abc("SHLI", 0, 1, 2), abc("MMBINI", 1, 2, 17)),
        code(*NILS, abc("MULK", 0, 1, 0), abc("MMBINK", 1, 0, 6), constants=[constant(2)]),
    ],
    "follows nothing it belongs to": [
        code(abc("MMBIN", 0, 0, 6)),
        code(*NILS, abc("MMBINK", 0, 0, 6)),
        code(*NILS, abc("ADD", 0, 1, 2), abc("MMBIN", 1, 2, 6), abc("MMBIN", 1, 2, 6)),
        code(ax(0)),
        code(*NILS, ax(0)),
        code(*NILS, abc("SETLIST", 0, 1), ax(0)),
        code(abx("TFORLOOP", 0, 1)),
        code(*NILS, abx("TFORLOOP", 0, 1)),
    ],
    "is not followed by a jump": [code(*NILS, abc("TEST", 0)), code(*NILS, abc("LTI", 0, 1))],
    "jumps out of the function": [
        code(jump(1)),
        code(jump(-2)),
        code(jump(-(2**24) + 1)),
        code(*NUMBERS, abx("FORLOOP", 0, 6)),
        code(*NUMBERS, abx("FORLOOP", 0, 0)),
    ],
    "jumps between instructions that belong together": [
        code(*NILS, jump(1), abc("TEST", 0), jump(0)),
        code(*NILS, jump(1), abc("ADD", 0, 1, 2), abc("MMBIN", 1, 2, 6)),
        code(*NILS, jump(1), abc("NEWTABLE", 0), ax(0)),
        code(*NILS, abc("CALL", 1, 1, 0), abc("SETLIST", 0, 0), jump(-2)),
        Function([*NILS, jump(1), CALL_OPEN, RETURN_OPEN, END]),
        code(*NILS, jump(1), abx("LOADK", 1, 0), abc("SELF", 0, 0, 1), constants=[SHORT]),
        closing(*generic_for(jump(1))),
    ],
    "jumps to the preparation of arguments": [vararg(jump(-2))],
    "does not prepare variable arguments": [Function([VARARG_END], is_vararg=1)],
    "prepares variable arguments at the wrong place": [
        code(abc("VARARGPREP", 0)),
        vararg(abc("VARARGPREP", 0)),
        Function([abc("VARARGPREP", 1), VARARG_END], is_vararg=1),
        Function([abc("VARARGPREP", 0, 1), VARARG_END], is_vararg=1),
    ],
    "has no variable arguments to get": [code(abc("VARARG", 0, 0, 2))],
    "has open results that nothing takes": [
        code(*NILS, CALL_OPEN),
        vararg(abc("VARARG", 0, 0, 0), abc("LOADNIL", 0)),
    ],
    "takes open results of nothing": [
        code(*NILS, abc("CALL", 0, 0, 1)),
        Function([RETURN_OPEN]),
        code(*NILS, abc("SETLIST", 0, 0)),
        Function([*NILS, abc("CALL", 0, 1, 1), RETURN_OPEN]),
    ],
    "takes open results that begin below its own registers": [
        Function([*NILS, CALL_OPEN, abc("RETURN", 1, 0)]),
        code(*NILS, CALL_OPEN, abc("CALL", 0, 0, 1)),
        code(*NILS, CALL_OPEN, abc("SETLIST", 0, 0)),
    ],
    "is not followed by the return it needs": [
        Function([*NILS, abc("TAILCALL", 0, 1), abc("RETURN", 0, 1)]).with_(),
        Function([*NILS, abc("TAILCALL", 0, 1), abc("SETLIST", 0, 0), END]),
        Function([*NILS, abc("TAILCALL", 1, 1), abc("RETURN", 0, 0)]),
    ],
    "returns without restoring the stack": [
        Function([abc("RETURN", 0, 1, 1)]),
        Function([abc("VARARGPREP", 0), abc("RETURN", 0, 1, 0)], is_vararg=1),
        Function([*NILS, abc("TAILCALL", 0, 1, 1), RETURN_OPEN]),
    ],
    "returns without cleaning up": [
        vararg(END),
        code(*NILS, abc("TBC", 0)),
        code(functions=[CAPTURES]),
    ],
    "returns without closing variables": [
        Function([*NILS, abc("TBC", 0), abc("RETURN", 0, 1)]),
        Function([*NILS, abc("TAILCALL", 0, 1), RETURN_OPEN], functions=[CAPTURES]),
    ],
    "needs a string as the method's name": [
        code(*NILS, abc("SELF", 0, 0, 2)),
        code(*NILS, abx("LOADK", 2, 0), abc("SELF", 0, 0, 2), constants=[constant(1)]),
        code(*NILS, abx("LOADK", 3, 0), abc("SELF", 0, 0, 2), constants=[SHORT]),
        code(abx("LOADKX", 3, 0), ax(0), abc("SELF", 0, 0, 2), constants=[SHORT]),
    ],
    # Loops.
    "has no end of its loop": [
        code(*NUMBERS, abx("FORPREP", 0, 0)),
        code(*NUMBERS, abx("FORPREP", 0, 2**17 - 1)),
        code(*NUMBERS, abx("FORPREP", 0, 0), abx("FORLOOP", 1, 1)),
        closing(*NILS, abx("TFORPREP", 0, 0)),
    ],
    "does not belong to the beginning of its loop": [
        code(*NUMBERS, abx("FORLOOP", 0, 1)),
        code(*NUMBERS, *NILS, abx("FORPREP", 0, 0), abx("FORLOOP", 0, 2)),
        closing(*generic_for(loop=abx("TFORLOOP", 0, 1))),
        closing(*generic_for(*NILS, loop=abx("TFORLOOP", 0, 2))),
    ],
    "is not followed by the end of its loop": [
        closing(*generic_for(loop=abx("TFORLOOP", 1, 2))),
        closing(*generic_for(call=abc("TFORCALL", 0, 0, 0))),
        code(*NILS, abc("TFORCALL", 0, 0, 1)),
    ],
    # Ways.
    "reads a register that may never have been written": [
        code(abc("MOVE", 0, 1)),
        code(abc("LOADNIL", 0), abc("TEST", 0), jump(1), abc("LOADNIL", 1), abc("MOVE", 0, 1)),
        code(*NILS, abc("CALL", 0, 1, 1), abc("MOVE", 1, 2)),
        code(abc("LOADNIL", 0), abc("CALL", 0, 2, 1)),
        Function([abc("LOADNIL", 0), abc("RETURN", 0, 3)]),
        Function([abc("LOADNIL", 0), abc("RETURN1", 1)]),
        code(*NUMBERS[:2], abx("FORPREP", 0, 0), abx("FORLOOP", 0, 1)),
        closing(abx("CLOSURE", 1, 0), functions=[CAPTURES]),
        code(*NILS, abc("NEWTABLE", 0), ax(0), abc("SETI", 0, 1, 1)),
        code(abc("ADD", 0, 0, 0), abc("MMBIN", 0, 0, 6)),
        Function([abc("LOADNIL", 2), abc("CALL", 2, 1, 0), abc("RETURN", 0, 0), END]),
        vararg(abc("LOADNIL", 0), abc("VARARG", 2, 0, 0), abc("CALL", 0, 0, 1)),
    ],
    "ends a loop whose registers may have been changed": [
        code(*NUMBERS, abx("FORPREP", 0, 1), abc("LOADNIL", 0), abx("FORLOOP", 0, 2)),
        code(*NUMBERS, abx("FORPREP", 0, 1), abc("LOADNIL", 2), abx("FORLOOP", 0, 2)),
        code(*NUMBERS, abc("TEST", 0), jump(1), abx("FORPREP", 0, 0), abx("FORLOOP", 0, 1)),
        closing(
            *NUMBERS, abx("FORPREP", 0, 1), abx("CLOSURE", 4, 0), abx("FORLOOP", 0, 2),
            functions=[CAPTURES.with_(upvalues=[(1, 1, 0)])],
        ),
        closing(
            *NUMBERS, abx("CLOSURE", 4, 0), abx("FORPREP", 0, 0), abx("FORLOOP", 0, 1),
            functions=[CAPTURES.with_(upvalues=[(1, 1, 0)])],
        ),
    ],
    "fills what may be no table": [
        code(*NILS, abc("SETLIST", 0, 1)),
        code(abc("NEWTABLE", 0), ax(0), *NILS, abc("SETLIST", 0, 1)),
        code(
            *NUMBERS, abc("TEST", 0), jump(2), abc("NEWTABLE", 0), ax(0), asbx("LOADI", 1, 1),
            abc("SETLIST", 0, 1),
        ),
        closing(
            abc("LOADNIL", 0), abx("CLOSURE", 1, 0), abc("NEWTABLE", 0), ax(0), asbx("LOADI", 1, 1),
            abc("SETLIST", 0, 1), functions=[CAPTURES],
        ),
    ],
    "uses registers that may still be captured": [
        closing(*NILS, abx("CLOSURE", 7, 0), abc("CALL", 0, 1, 1), functions=[CAPTURES]),
        closing(*NILS, abc("TBC", 2), abc("CALL", 1, 1, 1)),
        closing(
            *NILS, abx("CLOSURE", 7, 0), abc("NEWTABLE", 0), ax(0),
            functions=[CAPTURES.with_(upvalues=[(1, 1, 0)])],
        ),
        closing(
            *NILS, abx("CLOSURE", 7, 0), abc("CONCAT", 0, 2),
            functions=[CAPTURES.with_(upvalues=[(1, 1, 0)])],
        ),
        closing(
            *generic_for(abx("CLOSURE", 5, 0)), functions=[CAPTURES.with_(upvalues=[(1, 4, 0)])]
        ),
    ],
    "captures a register that is not in use": [
        closing(*NILS, abx("CLOSURE", 0, 0), functions=[CAPTURES.with_(upvalues=[(1, 1, 0)])])
    ],
    "comes before variables are closed": [
        closing(*NILS, abc("TBC", 1), abc("TBC", 1)),
        closing(*NILS, abc("TBC", 1), abc("TBC", 0)),
        Function([*NILS, abc("TBC", 1), abc("TAILCALL", 0, 1, 0, 1), abc("RETURN", 0, 0, 0, 1)]),
        closing(*NILS, abc("TBC", 4), abx("TFORPREP", 0, 0), *generic_for()[2:]),
    ],
    "writes over a variable that is to be closed": [
        closing(*NILS, abc("TBC", 0), abc("LOADNIL", 0)),
        vararg(abc("LOADNIL", 0), abc("TBC", 0)).with_(
            code=[
                abc("VARARGPREP", 0), abc("LOADNIL", 0), abc("TBC", 0), abc("VARARG", 0, 0, 0),
                abc("RETURN", 0, 0, 1, 1), abc("RETURN", 0, 1, 1, 1),
            ]
        ),
    ],
}  # fmt: skip
