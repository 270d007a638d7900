"""Configuration: values compose, wrong ones are refused in one line with the remedy."""

import pytest

from drive_agent.config import ConfigError, DriveConfig, build, compose


def drive(*overrides):
    return build(DriveConfig, compose("drive", list(overrides)))


def test_defaults_build():
    config = drive()
    assert config.model.kind == "embedded" and config.carla.kind == "embedded"


@pytest.mark.parametrize("kind", ["expert", "scripted", "embedded", "served"])
def test_every_model_group_builds(kind):
    assert drive(f"model={kind}").model.kind == kind


def test_a_group_of_a_model_has_its_own_keys():
    model = drive("model=mimo_embodied_7b", "model.vlm.precision=int8", "model.words.think_tokens=64").model
    assert model.kind == "vlm" and model.served is None
    assert model.vlm is not None and model.vlm.precision == "int8"
    assert model.words is not None and model.words.think_tokens == 64
    assert drive("model.latency_s=null").model.latency_s is None


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
        ("model.latency_s=11", ["model.latency_s=11", "0 to 10"]),
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


def test_groups_of_other_rooms_are_checked_too():
    with pytest.raises(ConfigError, match="float16.*rows of '!'.*bfloat16"):
        drive("model=mimo_embodied_7b", "model.vlm.precision=float16")
    with pytest.raises(ConfigError, match="did you mean 'model.served.url'"):
        drive("model=served", "model.served.urll=http://x")
    with pytest.raises(ConfigError, match="expected a group of keys"):
        drive("model=served", "model.words=3")


def test_a_guest_builds_in_a_world_that_runs():
    config = drive("attach=true", "carla=remote", "guest.goal=[10.5,-3]", "guest.seconds=20")
    assert config.attach and config.guest.goal_carla_m == (10.5, -3.0)
    assert drive().guest.goal_carla_m is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["attach=true"], "expected remote with attach=true, which needs a world that runs"),
        (["attach=true", "carla=remote", "resume=true"], "a foreign world goes on without us"),
        (["attach=true", "carla=remote", "agent=mine.py"], "agent=mine.py: expected null"),
        (["guest.goal=[1]"], r"expected \[x,y\], or \[\] to roam"),
        (["guest.goal=[1,nan]"], r"expected \[x,y\]"),
        (["guest.ticks=me"], "guest.ticks=me: expected auto, own or others"),
        (["guest.seconds=-1"], "expected seconds, or 0 for no limit"),
    ],
)
def test_a_guest_that_cannot_be_is_refused(words, message):
    with pytest.raises(ConfigError, match=message):
        drive(*words)
