"""Configuration: values compose, wrong ones are refused in one line with the remedy."""

import pytest

from drive_agent.config import ConfigError, DriveConfig, build, compose


def drive(*overrides):
    return build(DriveConfig, compose("drive", list(overrides)))


def test_defaults_build():
    config = drive()
    assert config.model.kind == "embedded" and config.carla.kind == "embedded"


@pytest.mark.parametrize("kind", ["expert", "scripted", "embedded"])
def test_every_model_group_builds(kind):
    assert drive(f"model={kind}").model.kind == kind


def test_remote_builds():
    assert drive("carla=remote", "carla.port=2100").carla.port == 2100


def test_several_servers_build():
    config = drive("carla=remote", "carla.servers=[10.0.0.5:2000,host:2010]", "workers=2")
    assert config.carla.servers == ("10.0.0.5:2000", "host:2010")
    with pytest.raises(ConfigError, match="workers=2: expected at most 1, one for each running server"):
        drive("carla=remote", "workers=2")
    with pytest.raises(ConfigError, match=r"carla.servers=host: expected a list \[host:port"):
        drive("carla=remote", "carla.servers=[host]")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("sead=1", ["sead", "did you mean 'seed'"]),
        ("model=expret", ["model=expret", "expert"]),
        ("carla.prt=3", ["carla.prt", "carla.port"]),
        ("seed=abc", ["seed=abc", "whole number"]),
        ("video=maybe", ["video=maybe", "true or false"]),
        ("model.period_s=0.13", ["model.period_s=0.13", "multiple"]),
        ("traffic.vehicles=-1", ["traffic.vehicles=-1"]),
        ("seed", ["key=value"]),
        ("repetitions=0", ["repetitions=0"]),
        ("workers=0", ["workers=0", "1 to 256"]),
        ("workers=two", ["workers=two", "ray://"]),
        ("carla=launched", ["carla.command=None", "{port}"]),
        ("runner.silence_s=0", ["runner.silence_s=0", "more than 0"]),
        ("model.rig=frnt", ["model.rig=frnt", "did you mean 'front'"]),
    ],
)
def test_wrong_values_are_one_clear_line(override, words):
    with pytest.raises(ConfigError) as caught:
        drive(override)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)
