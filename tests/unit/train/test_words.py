"""What training teaches in words is what driving understands."""

import re

import numpy as np

from drive_agent.agent.dialogue import Tuned, after_thought, thought_of
from drive_agent.agent.plan_text import read_plan, read_scene
from drive_agent.agent.prompt import question
from drive_agent.agent.rationale_text import read_rationale
from drive_agent.data.shards import NONE_M, DriveDataset
from drive_agent.rig import RIGS
from drive_agent.train.words import example, thought
from drive_agent.types import Plan
from tests.unit.train.shards import write_shard

CAMERAS = RIGS["front"]().cameras


def test_a_row_becomes_a_question_and_an_answer_that_is_understood(tmp_path):
    write_shard(tmp_path / "one", frames=8)
    data = DriveDataset([tmp_path])
    for k in range(len(data)):
        row = {name: values[0] for name, values in data.rows(np.array([k])).items()}
        prompt, answer = example(row, CAMERAS, scene=True)
        assert prompt.messages[0]["content"][-1]["text"] == question(prompt.state)
        assert [image.name for image in prompt.images] == [camera.name for camera in CAMERAS]
        plan, told = read_plan(answer, 0), read_scene(answer)
        assert isinstance(plan, Plan) and told is not None
        np.testing.assert_allclose(plan.path_ego, row["path"], atol=0.006)
        scene, forecast = told
        assert scene.light == int(row["light"]) and (scene.lead_gap_m is None) == (row["gap_m"] >= NONE_M)
        if scene.objects:
            ahead = row["objects"][0]
            assert abs(scene.objects[0].x_m - ahead[1]) < 0.06
            assert abs(forecast.positions_ego[0, 2, 0] - ahead[1] - 12.0) < 0.06
        assert example(row, CAMERAS, scene=False)[1] == answer[answer.index("path") :]


def test_a_thought_is_told_apart_from_its_answer(tmp_path):
    write_shard(tmp_path / "one", frames=2)
    row = {name: values[0] for name, values in DriveDataset([tmp_path]).rows(np.array([1])).items()}
    text = f"<think>\n{thought(row)}</think>\n\n{example(row, CAMERAS, scene=False)[1]}"
    assert read_rationale(thought_of(text)) is not None
    assert isinstance(read_plan(after_thought(text), 0), Plan)


def test_driving_holds_answers_to_the_form_that_was_taught(tmp_path):
    write_shard(tmp_path / "one", frames=1)
    row = {name: values[0] for name, values in DriveDataset([tmp_path]).rows(np.array([0])).items()}
    for scene in (True, False):
        assert re.fullmatch(Tuned(scene=scene).pattern, example(row, CAMERAS, scene=scene)[1])
