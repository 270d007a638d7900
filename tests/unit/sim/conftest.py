"""One embedded server per module that needs one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drive_agent.sim.process import ServerProcess

TOWN = "Brookfield"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess(TOWN, rendering=False) as process:
        yield process
