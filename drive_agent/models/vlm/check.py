"""What only the real weights on a real card can show, as rows of pass and fail. See `python -m drive_agent.models.vlm`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from drive_agent.models.settings import PRECISIONS, VlmConfig, WordsConfig
from drive_agent.models.vlm.checkpoint import Checkpoint, CheckpointError, examine, find
from drive_agent.models.vlm.loading import choose_device
from drive_agent.models.vlm.memory import WORKING_BYTES, free_bytes, need, parts_of
from drive_agent.models.vlm.model import VisionLanguageModel
from drive_agent.rig import front_640_rig
from drive_agent.types import CameraImage, Maneuver, Prompt, PromptState

FORM = r"\[PT(, \([+-][0-9]{1,2}\.[0-9]{2}, [+-][0-9]{1,2}\.[0-9]{2}\)){8}\]"
TOKENS = 4096
STATE = PromptState(5.0, 50.0, Maneuver.LANE_FOLLOW, 60.0, np.array([[10.0, 0.0], [20.0, 0.0]]))


@dataclass(frozen=True)
class Row:
    """One check."""

    passed: bool
    what: str
    found: str


def checks(weights: str, device: str) -> Iterator[Row]:
    """All checks in order; ends at the first that the others need."""
    try:
        place = choose_device(device)
        yield Row(True, "device", torch.cuda.get_device_name(place) if place != "cpu" else "cpu")
        checkpoint = examine(find(weights))
    except CheckpointError as error:
        yield Row(False, "device and checkpoint", str(error))
        return
    parts = parts_of(checkpoint.tensors)
    yield Row(
        True,
        "checkpoint",
        f"{parts.total / 1e9:.2f} G weights; {'; '.join(checkpoint.notes) or 'as published'}",
    )
    for precision in PRECISIONS:
        wanted = need(parts, checkpoint.config, precision, TOKENS).total
        if wanted > free_bytes(place):
            yield Row(
                True,
                precision,
                f"left out: needs {wanted / 1e9:.1f} GB, {free_bytes(place) / 1e9:.1f} GB are free",
            )
        else:
            yield from _precision(checkpoint, place, precision)


def _precision(checkpoint: Checkpoint, place: str, precision: str) -> Iterator[Row]:
    """Load in one precision, ask, and compare with the estimate."""
    before, start = _allocated(place), time.perf_counter()
    words = WordsConfig(picture_tokens=300, answer_tokens=256)
    vlm = VlmConfig(precision=precision, device=place)
    model = VisionLanguageModel.load(str(checkpoint.folder), front_640_rig().cameras, words, vlm)
    yield Row(True, f"{precision}: loads", f"{time.perf_counter() - start:.0f} s")
    if place != "cpu":
        estimate = need(parts_of(checkpoint.tensors), checkpoint.config, precision, 0).weights
        held = _allocated(place) - before
        fits = abs(held - estimate) < 0.1 * estimate
        yield Row(fits, f"{precision}: weights", f"{held / 1e9:.2f} GB, estimated {estimate / 1e9:.2f} GB")
    yield from _answers(model, precision)
    del model
    if place != "cpu":
        torch.cuda.empty_cache()


def _answers(model: VisionLanguageModel, precision: str) -> Iterator[Row]:
    prompt = _question("Describe what the picture shows in one sentence.")
    reply = model.answer(prompt)
    text = reply.text or ""
    degenerate = len(set(text.strip())) <= 2  # rows of "!" are what float16 overflows look like
    yield Row(not degenerate, f"{precision}: free answer", repr(text[:80]))
    held = model.answer(replace(prompt, pattern=FORM))
    speed = 1e3 * held.tokens / max(held.timings_ms["decode"], 1e-3)
    stages = ", ".join(f"{name} {spent:.0f} ms" for name, spent in held.timings_ms.items())
    found = f"{held.tokens} tokens, {speed:.0f} a second; {stages}; peak {held.peak_bytes / 1e9:.1f} GB"
    yield Row(re.fullmatch(FORM, held.text or "") is not None, f"{precision}: answer in a form", found)
    again = model.answer(replace(prompt, pattern=FORM))
    yield Row(again.text == held.text, f"{precision}: same question, same answer", "greedy")


def _question(text: str) -> Prompt:
    """A question about a picture of a plain road under a sky."""
    rgb = np.full((360, 640, 3), (135, 180, 230), np.uint8)
    cv2.fillPoly(rgb, [np.array([[0, 359], [640, 359], [340, 180], [300, 180]])], (90, 90, 90))
    image = CameraImage("CAM_FRONT", 0, rgb, b"")
    content = [{"type": "image"}, {"type": "text", "text": text}]
    return Prompt(({"role": "user", "content": content},), (image,), (None,), STATE)


def _allocated(place: str) -> int:
    return torch.cuda.memory_allocated(place) if place != "cpu" else 0


def table(rows: Iterator[Row], say: Callable[[str], None]) -> bool:
    """Say each row as it comes; whether all passed."""
    passed = True
    for row in rows:
        passed &= row.passed
        say(f"{'pass' if row.passed else 'FAIL'}  {row.what:36} {row.found}")
    say(f"allowance for context and activations in every estimate: {WORKING_BYTES / 1e9:.1f} GB")
    return passed
