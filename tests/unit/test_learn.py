"""The recipe as a command: stage after stage, nothing done twice, wrong calls told in one line."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from drive_agent.__main__ import main
from drive_agent.appraise import run as evaluate
from drive_agent.data.card import write_card
from drive_agent.learn import train
from drive_agent.models.embedded.model import EmbeddedModel
from drive_agent.models.embedded.weights import WeightsError
from tests.unit.train.shards import write_shard

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    """Data to learn from and held-out data, finished."""
    both = []
    for seed, name in enumerate(("train", "held_out")):
        folder = tmp_path_factory.mktemp(name)
        write_shard(folder / "a", frames=16, seed=seed)
        write_card(folder)
        both.append(folder)
    return both[0], both[1]


def words(folders: tuple[Path, Path], out: Path, *more: str) -> list[str]:
    steps = [f"stage{k}.steps=2" for k in range(1, 5)]
    return [
        f"data={folders[0]}", f"held_out={folders[1]}", f"out={out}", "network=tiny", "workers=1", "batch=4", "frames=8",
        "recipe.driven_rows=0", "stage4.group=3", *steps, *more,
    ]  # fmt: skip


def test_the_whole_recipe_and_once_more(folders, tmp_path: Path) -> None:
    assert train(words(folders, tmp_path), QUIET) == 0
    table = (tmp_path / "evaluation.md").read_text()
    for name in (
        "1 see",
        "4 improve",
        "path_ade_m",
        "pdms_style",
        "rationale_consistent",
        "quiz_light",
        "motion_fde_m",
    ):
        assert name in table
    assert "<svg" in (tmp_path / "curves.svg").read_text()
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/checkpoint/*")}
    assert len(stamps) == 8
    assert train(words(folders, tmp_path), QUIET) == 0
    assert stamps == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/checkpoint/*")}
    figures = tmp_path / "figures.json"
    weights = f"weights=[{tmp_path}/4_improve/weights]"
    assert (
        evaluate([weights, f"data={folders[1]}", "frames=8", "words_frames=4", f"out={figures}"], QUIET) == 0
    )
    rows = json.loads(figures.read_text())
    assert [name.rpartition("/")[2] for name in rows] == ["constant", "weights", "weights (black pictures)"]
    assert (
        evaluate(["task=precision", weights, f"data={folders[1]}", "frames=8", f"out={figures}"], QUIET) == 0
    )
    rows = json.loads(figures.read_text())
    assert list(rows) == ["float32", "bfloat16", "int8", "nf4"]
    sizes = [row["megabytes"] for row in rows.values()]
    assert (
        sizes[0] > sizes[2] > sizes[3] > sizes[1]
    )  # bfloat16 is of all weights, the others of the language layers
    assert abs(rows["nf4"]["path_ade_m"] - rows["float32"]["path_ade_m"]) > 0
    with pytest.raises(WeightsError, match="see pictures"):
        EmbeddedModel.load_sightless(tmp_path / "4_improve" / "weights")


def test_the_baseline_without_pictures_has_no_first_stage(folders, tmp_path: Path) -> None:
    assert train(words(folders, tmp_path, "network.sees=false"), QUIET) == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        "2_drive",
        "3_explain",
        "4_improve",
    ]
    assert EmbeddedModel.load_sightless(tmp_path / "4_improve" / "weights").name == "ego_status"


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (["train", "stage=5"], "stage=5: expected one of all, 1, 2, 3, 4"),
        (["train", "stge=2"], "did you mean 'stage'"),
        (["train", "stage4=plan_only"], "did you mean 'plans_only'"),
        (["train", "stage1.steps=0"], "steps=0: expected 1 or more"),
        (["eval", "task=drivng"], "did you mean 'driving'"),
        (["collect", "rowz=4"], "did you mean 'rows'"),
        (["collect", "workers=0"], "workers=0: expected 1 to 64"),
    ],
)
def test_wrong_calls_are_one_line_and_status_2(call: list[str], complaint: str, capsys) -> None:
    assert main(call) == 2
    error = capsys.readouterr().err.strip()
    assert complaint in error and "\n" not in error


def test_stages_come_in_order_and_keep_their_settings(folders, tmp_path: Path, capsys) -> None:
    assert main(["train", "stage=2", *words(folders, tmp_path)]) == 2
    assert "train it first: stage=1" in capsys.readouterr().err
    assert main(["train", "stage=1", *words(folders, tmp_path)]) == 0
    assert main(["train", "stage=1", *words(folders, tmp_path, "stage1.steps=5")]) == 2
    assert "was begun with other stage" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["collect", "train", "eval"])
def test_help_has_examples_and_every_key(verb: str, capsys) -> None:
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"usage: drive-agent {verb}" in text and text.count(f"  drive-agent {verb}") >= 3
    assert "out:" in text
