"""Forms: what must come needs no choice, what is chosen is allowed, the end is known."""

import re

import pytest
import torch
from transformers import AutoTokenizer

from drive_agent.models.vlm.form import Forms

ROWS = 640


@pytest.fixture(scope="module")
def tokenizer(tiny):
    return AutoTokenizer.from_pretrained(tiny)


@pytest.fixture(scope="module")
def forms(tokenizer):
    return Forms(tokenizer, ROWS)


def test_what_can_only_come_is_forced(forms, tokenizer):
    form = forms.form("light red\nway (free|blocked)")
    assert tokenizer.decode(form.forced()).startswith("light red\nway")
    assert form.forced() == [] and not form.done


@pytest.mark.parametrize("seed", range(4))
def test_any_wishes_end_in_the_form(forms, tokenizer, seed):
    generator = torch.Generator().manual_seed(seed)
    pattern = r"path( [+-][0-9]{1,2}\.[0-9]){3}\nspeed [0-9]"
    form, tokens = forms.form(pattern), []
    while not form.done:
        tokens += form.forced() or [form.choose(torch.randn(ROWS, generator=generator))]
    text = tokenizer.decode([token for token in tokens if token != tokenizer.eos_token_id])
    assert re.fullmatch(pattern, text)


def test_no_digit_of_another_script_passes(forms, tokenizer):
    """A digit class would let them: the patterns of this project name the ten digits."""
    from drive_agent.agent.boxes_text import scene_pattern
    from drive_agent.agent.plan_text import PLAN_PATTERN, SCENE_PATTERN
    from drive_agent.agent.waypoint_text import WAYPOINTS_PATTERN

    for pattern in (PLAN_PATTERN, SCENE_PATTERN, WAYPOINTS_PATTERN, scene_pattern(("front",))):
        assert "\\d" not in pattern
        forms.form(pattern)


def test_what_is_no_expression_is_refused(forms):
    with pytest.raises(ValueError, match="is refused"):
        forms.form("(")
