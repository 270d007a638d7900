"""Stage 4: group-relative policy optimisation (Shao et al., 2024, arXiv 2402.03300) of the very heads that drive.

Every frame's plan is sampled several times from the distribution that the heads tell (the path shifted aside by its
spread, speed, light and gap from their bins), each sample is rewarded by rule, and what beats its group's mean is made
likelier. One update a sampling, so there is no ratio to clip; the imitation that stays on at a small weight is what
holds the policy near to where it came from. Words are sampled and rewarded likewise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional
from transformers import DynamicCache

from drive_agent.agent.quiz_text import Question
from drive_agent.models.embedded.config import GAPS_M, LIGHTS, SPEEDS_MPS
from drive_agent.models.embedded.network import DrivingNetwork
from drive_agent.models.embedded.tokenizer import DriveTokenizer
from drive_agent.train.batch import Batch
from drive_agent.train.lessons import pad
from drive_agent.train.rewards import (
    answer_reward,
    driven_poses,
    ordered,
    plan_reward,
    rationale_reward,
)

Terms = dict[str, torch.Tensor]
_LEAST_SPREAD_M = 0.02
_GAP_SCALE_M = 10.0
_EVEN = 0.01  # a group that is rewarded more alike than this teaches nothing
MOST_WORDS = 60


def advantages(rewards: torch.Tensor) -> torch.Tensor:
    """Rewards (n, group) against the mean of their group, in units of its deviation; 0 in a group that is even."""
    deviation = rewards.std(1, keepdim=True, unbiased=False)
    return torch.where(deviation > _EVEN, (rewards - rewards.mean(1, keepdim=True)) / (deviation + 1e-6), 0.0)


def plan_terms(
    network: DrivingNetwork, raw: dict[str, torch.Tensor], batch: Batch, group: int
) -> tuple[Terms, dict[str, float]]:
    """Losses of sampled plans and perceptions, and the mean rewards."""
    dice = torch.Generator().manual_seed(batch.seed)
    path, spread = network.path(raw["path"])
    spread = spread.clamp_min(_LEAST_SPREAD_M)
    normal = _normals(path.detach())
    aside = torch.randn(len(path), group, 1, generator=dice)
    offsets = aside * spread.detach()[:, None]  # (n, group, stations)
    taken = path.detach()[:, None] + offsets[..., None] * normal[:, None]
    moved = ((taken - path[:, None]) * normal[:, None]).sum(-1) / spread[:, None]
    path_log = (-0.5 * moved**2 - spread[:, None].log()).mean(-1)
    speed, speed_log = _bins(raw["speed"], group, dice)
    light, light_log = _bins(raw["light"][:, :LIGHTS], group, dice)
    gap, gap_log = _bins(raw["gap"][:, : len(GAPS_M) + 1], group, dice)
    rewards = {name: np.zeros((len(path), group), dtype=np.float32) for name in ("plan", "light", "gap")}
    for k in range(len(path)):
        row = batch.row(k)
        for j in range(group):
            target = float(SPEEDS_MPS[speed[k, j]])
            poses = driven_poses(taken[k, j].numpy().astype(float), float(row["speed_mps"]), target)
            rewards["plan"][k, j] = plan_reward(poses, row)
        rewards["light"][k] = light[k].numpy() == int(row["light"])
        rewards["gap"][k] = _gap_reward(gap[k].numpy(), float(row["gap_m"]))
    better = {name: advantages(torch.from_numpy(values)) for name, values in rewards.items()}
    terms = {
        "path": -(better["plan"] * path_log).mean(),
        "speed": -(better["plan"] * speed_log).mean(),
        "light": -(better["light"] * light_log).mean(),
        "gap": -(better["gap"] * gap_log).mean(),
    }
    return terms, {name: float(values.mean()) for name, values in rewards.items()}


def _normals(path: torch.Tensor) -> torch.Tensor:
    """Unit vectors to the left of paths (n, stations, 2)."""
    line = functional.pad(path, (0, 0, 1, 0))
    course = functional.normalize(line[:, 1:] - line[:, :-1], dim=-1)
    return torch.stack([-course[..., 1], course[..., 0]], -1)


def _bins(logits: torch.Tensor, group: int, dice: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Bins (n, group) drawn from logits (n, bins), and their log probabilities."""
    logs = functional.log_softmax(logits, 1)
    drawn = torch.multinomial(logs.detach().exp(), group, replacement=True, generator=dice)
    return drawn, logs.gather(1, drawn)


def _gap_reward(bins: np.ndarray, gap_m: float) -> np.ndarray:
    """Exact for "nothing ahead", else the nearer the better."""
    nothing = gap_m > GAPS_M[-1]
    told_nothing = bins == len(GAPS_M)
    metres = GAPS_M[np.minimum(bins, len(GAPS_M) - 1)]
    near = ordered(metres, gap_m, _GAP_SCALE_M)
    return np.where(nothing, told_nothing, np.where(told_nothing, 0.0, near))


def word_terms(
    network: DrivingNetwork,
    tokenizer: DriveTokenizer,
    tokens: torch.Tensor,
    batch: Batch,
    asked: Sequence[Question | None],
    targets_mps: np.ndarray,
    group: int,
) -> tuple[Terms, dict[str, float]]:
    """Loss of sampled words about the first frames of the batch, one for each of `asked`, and the mean reward.

    `targets_mps` (n,): the speeds that the network's own plans want, which a rationale has to agree with.
    """
    losses, means = [], []
    for k, one in enumerate(asked):
        dice = torch.Generator().manual_seed(batch.seed + k)
        opening = tokenizer.encode(tokenizer.opening(one.text if one else ""))
        closing = tokenizer.id(tokenizer.closing(one.text if one else ""))
        seen, numbers = tokens[k : k + 1].expand(group, -1, -1), batch.number_ids[k : k + 1].expand(group, -1)
        answers = sample(network, seen, numbers, opening, closing, dice)
        row, camera = batch.row(k), batch.cameras[0]
        rewards = []
        for ids in answers:
            text = tokenizer.decode(ids[:-1].tolist()) if ids[-1] == closing else ""
            if one is None:
                rewards.append(rationale_reward(text, row, float(targets_mps[k])))
            else:
                rewards.append(answer_reward(one, text, row, camera))
        better = advantages(torch.tensor([rewards]))[0]
        means.append(float(np.mean(rewards)))
        ids, told = pad([(opening, answer) for answer in answers])
        _, logits = network.speak(seen, numbers, ids)
        logs = functional.log_softmax(logits[:, :-1], -1).gather(2, ids[:, 1:, None])[..., 0]
        losses.append(-(better * (logs * told).sum(1) / told.sum(1)).mean())
    return {"words": torch.stack(losses).mean()}, {"words": float(np.mean(means))}


@torch.no_grad()
def sample(
    network: DrivingNetwork,
    tokens: torch.Tensor,
    number_ids: torch.Tensor,
    opening: np.ndarray,
    closing: int,
    dice: torch.Generator,
) -> list[np.ndarray]:
    """Words drawn freely behind an opening, for rows that are all alike; each ends with `closing` or is cut off."""
    n = len(tokens)
    words = torch.from_numpy(opening).expand(n, -1)
    embed = network.vlm.get_input_embeddings()
    language = network.vlm.model.language_model
    places = network.text_places(len(opening) + MOST_WORDS).expand(-1, n, -1)
    cache = DynamicCache(config=network.vlm.config.get_text_config())
    x = torch.cat([network.embed(tokens, number_ids), embed(words)], 1)
    at, drawn, open_rows = 0, [], torch.ones(n, dtype=torch.bool)
    while len(drawn) < MOST_WORDS and open_rows.any():
        output = language(
            inputs_embeds=x,
            position_ids=places[..., at : at + x.shape[1]],
            past_key_values=cache,
            use_cache=True,
        )
        at += x.shape[1]
        odds = functional.softmax(network.vlm.lm_head(output.last_hidden_state[:, -1]), 1)
        word = torch.multinomial(odds, 1, generator=dice)
        drawn.append(word)
        open_rows &= word[:, 0] != closing
        x = embed(word)
    rows = torch.cat(drawn, 1).numpy()
    ends = [np.flatnonzero(row == closing) for row in rows]
    return [row[: end[0] + 1] if len(end) else row for row, end in zip(rows, ends, strict=True)]
