"""A configuration is written and read again as it was, without hydra; wrong files are one line with the remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drive_agent.config import ConfigError, DriveConfig, build, compose
from drive_agent.drive.provenance import read_config, write_config

WITHOUT_HYDRA = """
import sys
sys.modules.update(hydra=None, omegaconf=None, antlr4=None)  # importing any of them is an ImportError
from pathlib import Path
from drive_agent.drive.leaderboard_inputs import sensor_specs
from drive_agent.drive.leaderboard_log import RunLog
from drive_agent.drive.leaderboard_route import evaluated_route
from drive_agent.drive.leaderboard_truth import EvaluatorTruth
from drive_agent.drive.provenance import read_config
from drive_agent.drive.roster import make_driver
print(type(make_driver(read_config(Path(sys.argv[1])))).__name__)
"""


def composed(*overrides: str) -> DriveConfig:
    return build(DriveConfig, compose("drive", list(overrides)))


@pytest.mark.parametrize("model", ["embedded", "expert", "scripted"])
def test_a_configuration_is_read_as_it_was_written(tmp_path, model):
    config = composed(f"model={model}", "seed=3", "out=here", "guard.stop_brake=0.5")
    write_config(tmp_path / "config.yaml", config)
    assert read_config(tmp_path / "config.yaml") == config
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "expected a resolved config.yaml"),
        ("a: [1", "is not YAML"),
        ("seed: 1\n", "no group 'config'"),
        ("config:\n  sede: 1\n", "did you mean 'seed'"),
    ],
)
def test_wrong_files_are_one_line(tmp_path, text, says):
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        read_config(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("model", ["embedded", "scripted"])
def test_a_driver_is_made_where_hydra_cannot_be_imported(tmp_path: Path, model: str):
    write_config(tmp_path / "config.yaml", composed(f"model={model}"))
    command = [sys.executable, "-c", WITHOUT_HYDRA, str(tmp_path / "config.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == {"embedded": "AgentDriver", "scripted": "PrivilegedDriver"}[model]
