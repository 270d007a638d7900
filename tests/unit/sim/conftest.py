"""One embedded server per module that needs one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drive_agent.sim.process import ServerProcess

TOWN = "Brookfield"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    recordings = tmp_path_factory.mktemp("recordings")
    with ServerProcess(TOWN, rendering=False, recordings=str(recordings)) as process:
        yield process
