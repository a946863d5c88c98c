"""Programs that go too deep, by what they do to get there."""

from __future__ import annotations

from tests.core.torture_calls import CALLS
from tests.core.torture_libraries import LIBRARIES
from tests.core.torture_metamethods import METAMETHODS

PROGRAMS = CALLS | METAMETHODS | LIBRARIES
