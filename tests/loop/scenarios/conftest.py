"""Each module's `CASES` are driven twice: by the expert and by a blind driver at constant speed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loop.scenarios.families import Drive, driven, made_routes


@pytest.fixture(scope="module")
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The route file of a module's types."""
    return made_routes(request.module.CASES, tmp_path_factory.mktemp("family"))


@pytest.fixture(scope="module")
def expert(family: Path) -> dict[str, Drive]:
    """The expert's drives, by type."""
    return driven("expert", family, family.parent / "expert")


@pytest.fixture(scope="module")
def blind(family: Path) -> dict[str, Drive]:
    """The blind driver's drives, by type."""
    return driven("scripted", family, family.parent / "blind")
