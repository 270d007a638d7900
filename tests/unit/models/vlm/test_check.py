"""The check for machines with a card: says clearly where there is none, and passes on a look-alike."""

import pytest
import torch

from drive_agent.models.vlm.check import checks, table


def test_without_a_card_it_says_so(tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    said: list[str] = []
    assert not table(checks(str(tiny), "cuda"), said.append)
    assert said[0].startswith("FAIL") and "no GPU is there" in said[0]


def test_without_weights_it_says_so():
    said: list[str] = []
    assert not table(checks("/no/such/folder", "cpu"), said.append)
    assert said[1].startswith("FAIL") and "expected a folder, or a name on the hub" in said[1]


@pytest.mark.slow
def test_a_look_alike_passes_on_the_cpu(tiny):
    rows = list(checks(str(tiny), "cpu"))
    assert all(row.passed for row in rows), rows
    assert {"nf4: answer in a form", "int8: answer in a form", "bfloat16: answer in a form"} <= {
        row.what for row in rows
    }
