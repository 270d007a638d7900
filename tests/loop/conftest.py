"""A short route through Brookfield, and the command line as a user calls it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SHORT = """<routes><route id="{id}" town="Brookfield"><waypoints>
<position x="58.3" y="12.8" z="0.0"/><position x="{x}" y="{y}" z="0.0"/>
</waypoints><scenarios/></route></routes>"""


@pytest.fixture
def short_route(tmp_path: Path) -> Path:
    """A route file of about 50 m."""
    path = tmp_path / "short.xml"
    path.write_text(SHORT.format(id="7", x="108.1", y="13.0"))
    return path


def drive_agent(*words: str, timeout_s: float = 240.0) -> subprocess.CompletedProcess[str]:
    """Run `drive-agent` in a process of its own, in a folder that is gone afterwards."""
    command = [sys.executable, "-m", "drive_agent", *words]
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False, cwd=folder
        )
