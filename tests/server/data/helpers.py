"""What tests of the commands share: errors as text, values as text."""

from __future__ import annotations

from typing import Any

import pytest
from pygls.exceptions import JsonRpcException

from tests.server.editor import Editor


async def error(editor: Editor, command: str, params: dict[str, Any] | None = None) -> str:
    """The message with which a command is refused, without the command's name."""
    with pytest.raises(JsonRpcException) as caught:
        await editor.run(command, params)
    message = str(caught.value)
    return message.split(f"lua-persist.{command}: ", 1)[-1]


def texts(values: list[Any]) -> list[Any]:
    """The text of each value; null stays."""
    return [None if value is None else value["text"] for value in values]
