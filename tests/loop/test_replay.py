"""`drive-agent replay` on a real drive: nothing changed is the same again, something changed is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.loop.conftest import drive_agent
from tests.loop.forks import drive_of

SHORT_WALK = ("video=false", "traffic.vehicles=8", "traffic.walkers=4")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("replay")
    route = folder / "short.xml"
    route.write_text(
        '<routes><route id="7" town="Brookfield"><waypoints><position x="58.3" y="12.8" z="0.0"/>'
        '<position x="88.0" y="11.6" z="0.0"/></waypoints><scenarios/></route></routes>'
    )
    done = drive_agent("drive", f"routes={route}", f"out={folder / 'run'}", "seed=3", *SHORT_WALK)
    assert done.returncode == 0, done.stderr
    return folder / "run"


def log_of(run: Path) -> Path:
    return next(run.glob("routes/*/log.mcap"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_fork_with_nothing_changed_is_the_drive_itself(run, tmp_path):
    drive = drive_of(log_of(run))
    for at in (0.05, 2.35):
        out = tmp_path / f"fork{at}"
        done = drive_agent("replay", "fork", str(run), f"at={at}", f"out={out}", timeout_s=400)
        assert done.returncode == 0, done.stderr
        assert drive.differences(drive_of(log_of(out))) == []
        compared = drive_agent("replay", "compare", str(run), str(out), "format=json")
        assert [one["what"] for one in json.loads(compared.stdout).values()] == [
            "identical from the first tick to the last"
        ]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_another_driver_takes_over_at_the_fork(run, tmp_path):
    out = tmp_path / "fork"
    done = drive_agent("replay", "fork", str(run), "at=2", f"out={out}", "model=scripted", timeout_s=400)
    assert done.returncode == 0, done.stderr
    before, after = drive_of(log_of(run)).commands, drive_of(log_of(out)).commands
    assert before[:40] == after[:40] and before[40:80] != after[40:80]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_asked_again_it_says_the_same(run):
    done = drive_agent("replay", "ask", str(run), "format=json")
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) > 10 and all(answer["identical"] for answer in answers)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], 2, "view, ask"),
        (["veiw"], 2, "did you mean 'view'"),
        (["view"], 2, "run folder"),
        (["view", "/no/such/run", "open=false"], 1, "/no/such/run"),
        (["view", "/tmp", "open=false", "prot=1"], 2, "did you mean 'port'"),
        (["view", "/tmp", "--follow"], 2, "key=value, e.g. follow=true"),
        (["import"], 2, "expected a recording"),
        (["import", "/no/such.log"], 1, "/no/such.log cannot be read"),
        (["ask", "/no/such/run"], 2, "/no/such/run"),
        (["fork", "/no/such/run", "at=3"], 2, "/no/such/run"),
        (["compare", "/tmp"], 2, "expected 2 run folders"),
        (["export", "cvs", "/tmp"], 2, "did you mean 'csv'"),
    ],
)
def test_wrong_calls_are_one_clear_line(words, code, says):
    done = drive_agent("replay", *words)
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
