"""What Lua source says of itself in comments, compared with what an evaluation gave.

- `-- expect: text`: the next line of output. On a line with code, it is that line that printed it.
- `-- expect: => value`: the values that the source returns, as Lua source would write them.
- `-- expect error: 6 part of the message`: the error that ends the evaluation, and its line.
- `-- expect again: text` or `=> value`: what stands in the place of the expectation before it when
  the source is evaluated a second time; after another one, one more line of output then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

COMMENT = re.compile(r"^(?P<code>.*?)-- expect(?: (?P<kind>error|again))?: (?P<text>.*)$")
VALUES = "=> "


@dataclass(frozen=True)
class Expected:
    output: list[tuple[str, int | None]]
    """Lines of output, each with the line that printed it where the comment says so."""
    values: str
    error: tuple[int, str] | None


def expectations(source: str, *, again: bool = False, silent: bool = False) -> Expected:
    """What the comments say of the first evaluation, or of the second.

    Unless it may be `silent`, a source says something.
    """
    found: list[tuple[str, int | None]] = []
    error = None
    replaces = False
    for number, line in enumerate(source.splitlines(), start=1):
        match = COMMENT.match(line)
        if match is None:
            assert "-- expect" not in line, f"line {number}: an expectation that nobody reads"
        elif match["kind"] == "error":
            place, _, part = match["text"].partition(" ")
            error = (int(place), part)
        else:
            is_again = match["kind"] == "again"
            if is_again and not again:
                assert found, f"line {number}: there is no expectation in whose place it stands"
                continue
            if is_again and replaces:
                found.pop()
            replaces = not is_again
            found.append((match["text"], number if match["code"].strip() else None))
    assert found or error or silent, "an example states what it does"
    values = [text.removeprefix(VALUES) for text, _ in found if text.startswith(VALUES)]
    output = [(text, line) for text, line in found if not text.startswith(VALUES)]
    assert len(values) <= 1, "a file returns once"
    return Expected(output, "".join(values), error)


def check(
    source: str, result: dict[str, Any], *, again: bool = False, silent: bool = False
) -> None:
    """Compare an evaluation, as plain data, with what the comments in its source say."""
    expected = expectations(source, again=again, silent=silent)
    problems = [(problem["line"], problem["message"]) for problem in result["problems"]]
    if expected.error is None:
        assert problems == []
        assert result["ok"]
    else:
        assert not result["ok"]
        assert [line for line, _ in problems] == [expected.error[0]]
        assert expected.error[1] in problems[0][1]
    assert result["text"] == expected.values
    printed = printed_lines(result["output"])
    assert [text for text, _ in printed] == [text for text, _ in expected.output]
    for (text, line), (_, expected_line) in zip(printed, expected.output, strict=True):
        assert expected_line in {None, line}, f"line {line} printed {text!r}"


def printed_lines(pieces: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    """The output's lines, each with the line of source that wrote its last piece."""
    lines: list[tuple[str, int | None]] = []
    open_line = ""
    for piece in pieces:
        *ended, rest = (open_line + piece["text"]).split("\n")
        lines += [(text, piece["line"]) for text in ended]
        open_line = rest
    assert open_line == "", "examples end their last line"
    return lines
