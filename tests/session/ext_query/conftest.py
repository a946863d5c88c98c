from __future__ import annotations

import pytest

from tests.session.ext_query.asking import FILL
from tests.session.filled import filled, session

__all__ = ["filled", "session"]


@pytest.fixture(scope="module")
def filling() -> str:
    return FILL
