"""The doctor finds what is there, and what is not comes with a remedy."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from drive_agent import doctor
from drive_agent.__main__ import main
from drive_agent.models.embedded import weights


def findings() -> dict[str, doctor.Finding]:
    return {finding.part: finding for finding in doctor.examine()}


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Hide a package."""
    find = importlib.util.find_spec

    def hide(package: str) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))

    return hide


def test_what_tests_need_is_found():
    found = findings()
    for part in ("python", "carla", "torch", "transformers", "numba", "mcap", "av", "embedded weights"):
        assert found[part].state in ("ok", "absent"), found[part]
    assert found["carla"].detail == "0.9.16"
    assert "cores" in found["machine"].detail


def test_only_what_is_not_right_has_a_remedy():
    assert all((finding.state == "ok") == (finding.remedy == "") for finding in doctor.examine())


def test_a_needed_package_is_missing_and_an_extra_is_absent(without):
    without("mcap")
    assert findings()["mcap"] == doctor.Finding("missing", "mcap", "logs", "pip install mcap")
    without("nuscenes")
    assert findings()["nuscenes-devkit"].state == "absent"


def test_without_torch_the_rest_is_examined_all_the_same(without):
    without("torch")
    found = findings()
    assert found["torch"].state == found["embedded weights"].state == "missing"
    assert found["GPU"].state == "absent" and "pip install torch" in found["GPU"].remedy


def test_missing_weights_are_named_and_fail_the_command(monkeypatch, tmp_path: Path, capsys):
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    finding = findings()["embedded weights"]
    assert finding.state == "missing" and "manifest.json is missing" in finding.detail and finding.remedy
    assert main(["doctor"]) == 1
    assert "missing embedded weights" in capsys.readouterr().out


def test_a_cache_that_cannot_be_written_is_told(monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/proc/nowhere")
    finding = findings()["compiled kernels"]
    assert (
        finding.state == "absent"
        and "/proc/nowhere" in finding.detail
        and "NUMBA_CACHE_DIR" in finding.remedy
    )
