"""One embedded server for the whole folder; the client, its world and what a test spawned come as `session`.

Tests that load other worlds start a server of their own (`travelling`), so that `session` keeps its world.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drive_agent.sim.process import ServerProcess
from tests.client.conftest import TOWN, Session, connect, spawn_point
from tests.conformance.raw import RawClient

__all__ = ["spawn_point"]

ONE_STREET = """<?xml version="1.0"?><OpenDRIVE><header revMajor="1" revMinor="4" name="" version="1" date=""
 north="0" south="0" east="0" west="0"/><road name="r" length="200.0" id="1" junction="-1"><planView>
 <geometry s="0" x="0" y="0" hdg="0" length="200.0"><line/></geometry></planView><lanes><laneSection s="0">
 <left/><center><lane id="0" type="none" level="false"><roadMark sOffset="0" type="solid" color="white" width="0.1"/>
 </lane></center><right><lane id="-1" type="driving" level="false"><width sOffset="0" a="3.5" b="0" c="0" d="0"/>
 <roadMark sOffset="0" type="solid" color="white" width="0.1"/></lane></right></laneSection></lanes></road></OpenDRIVE>"""


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="session")
def server(recordings: Path) -> Iterator[ServerProcess]:
    with ServerProcess(TOWN, recordings=str(recordings)) as process:
        yield process


@pytest.fixture(scope="session")
def _session(server: ServerProcess) -> Session:
    return connect(server)


@pytest.fixture
def session(_session: Session) -> Iterator[Session]:
    yield _session
    _session.forget()


@pytest.fixture(scope="module")
def travelling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A server that begins in a town of one street."""
    path = tmp_path_factory.mktemp("towns") / "OneStreet.xodr"
    path.write_text(ONE_STREET)
    with ServerProcess(str(path), rendering=False, recordings=str(path.parent)) as process:
        yield connect(process)


@pytest.fixture
def raw(server: ServerProcess) -> Iterator[RawClient]:
    client = RawClient(server)
    yield client
    client.close()
