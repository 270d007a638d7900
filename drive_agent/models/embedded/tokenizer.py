"""The embedded model's words: bytes, a few driving words, and one token for every bin of the numbers in a prompt.

A number such as the own speed is one token (`<speed_17>`), not digits: the sequence stays short, and every prompt has
the same length. Knows nothing of pictures or networks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from drive_agent.types import Maneuver, PromptState

SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
    "<think>",
    "</think>",
)

BINS: dict[str, np.ndarray] = {  # the value that each token of a family stands for
    "speed": np.arange(0.0, 20.25, 0.5),
    "since": np.array([0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50]),
    "in": np.array([*range(0, 40, 2), 40, 44, 48, 54, 60, 70, 80, 100]),
    "x": np.arange(-32.0, 96.0, 2.0),
    "y": np.arange(-47.25, 48.0, 1.5),
}
MANEUVERS = tuple(f"<{maneuver.name.lower()}>" for maneuver in Maneuver)
NUMBERS = 8  # tokens that carry the state: speed, since, maneuver, in, x, y, x, y

_MAX_WORDS = 512  # size of the vocabulary before the number tokens
_CORPUS = (
    "The light ahead is red. Stop at the stop line. The light is green, go on. The light is yellow, slow down.",
    "A vehicle is ahead. A pedestrian is crossing. A cyclist is on the right. The way is free. Nothing is ahead.",
    "Turn left at the junction. Turn right at the junction. Go straight on. Follow the lane. Change lane left.",
    "Change lane right. Keep a gap to the vehicle ahead. Brake. Accelerate. Wait for the stop sign. Give way.",
    "user assistant system driving speed distance metres because the own way the next vehicle walker cyclist",
    "What do you see? What will the others do? Where do you drive, and how fast? Answer shortly. yes no none",
    "I slow down because a vehicle stands in my lane. I stop because the light is red. I wait until it has passed.",
)


def nearest_bin(family: str, values: np.ndarray) -> np.ndarray:
    """Index of the nearest bin of the family for every value; values beyond the ends take the end's bin."""
    centers = BINS[family]
    return np.searchsorted((centers[1:] + centers[:-1]) / 2, values)


def within_reach(targets_ego: np.ndarray) -> np.ndarray:
    """Points (..., 2) drawn in along their bearing until the bins of x and y hold them."""
    x, y = np.moveaxis(np.asarray(targets_ego, dtype=float), -1, 0)
    limit_x = np.where(x > 0, BINS["x"][-1], -BINS["x"][0])
    excess = np.maximum(np.abs(x) / limit_x, np.abs(y) / BINS["y"][-1])
    return np.stack([x, y], -1) / np.maximum(excess, 1.0)[..., None]


def number_tokens() -> list[str]:
    """All tokens of the number families and the manoeuvres, in the order of their ids."""
    return [f"<{family}_{k}>" for family, centers in BINS.items() for k in range(len(centers))] + list(
        MANEUVERS
    )


def build_tokenizer(corpus: Iterable[str] = _CORPUS) -> Tokenizer:
    """A byte-level BPE on a few driving sentences, with the special and number tokens added."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_MAX_WORDS,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*corpus, "<|im_start|>user\n<|im_start|>assistant\n"], trainer)
    tokenizer.add_special_tokens(number_tokens())
    return tokenizer


class DriveTokenizer:
    """Writes a driving prompt as text and as ids, and reads the numbers back."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.fast = PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
        )
        self._tokenizer = tokenizer
        self._first = {family: self.id(f"<{family}_0>") for family in BINS}
        self._maneuver = {
            int(maneuver): self.id(name) for maneuver, name in zip(Maneuver, MANEUVERS, strict=True)
        }

    @classmethod
    def load(cls, path: Path) -> DriveTokenizer:
        """From a `tokenizer.json`."""
        return cls(Tokenizer.from_file(str(path)))

    def save(self, path: Path) -> None:
        """As a `tokenizer.json`."""
        self._tokenizer.save(str(path))

    def id(self, token: str) -> int:
        """Id of one token. Raises KeyError when the vocabulary lacks it."""
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise KeyError(f"tokenizer has no token {token!r}; expected the vocabulary of build_tokenizer()")
        return found

    def number_ranges(self) -> list[tuple[int, int]]:
        """First id and number of bins of every family of numbers."""
        return [(self._first[family], len(centers)) for family, centers in BINS.items()]

    @property
    def special_ids(self) -> dict[str, int]:
        """Ids of the special tokens by name."""
        return {token: self.id(token) for token in SPECIAL_TOKENS}

    def __len__(self) -> int:
        return self._tokenizer.get_vocab_size()

    def write(self, state: PromptState, visual_tokens: Sequence[int]) -> str:
        """The prompt as text; `visual_tokens` says how many each picture becomes."""
        first, second = within_reach(state.targets_ego)
        numbers = [("speed", state.speed_mps), ("since", state.since_stop_m)]
        route = [
            ("in", state.maneuver_m),
            ("x", first[0]),
            ("y", first[1]),
            ("x", second[0]),
            ("y", second[1]),
        ]
        before, after = (
            "".join(f"<{family}_{int(nearest_bin(family, np.asarray(value)))}>" for family, value in part)
            for part in (numbers, route)
        )
        maneuver = f"<{Maneuver(state.maneuver).name.lower()}>"
        return self.frame_text(visual_tokens, before + maneuver + after)

    @staticmethod
    def frame_text(visual_tokens: Sequence[int], numbers: str) -> str:
        """Chat text around the pictures and the numbers, as Qwen's template writes it."""
        pictures = "".join(
            f"<|vision_start|>{'<|image_pad|>' * count}<|vision_end|>" for count in visual_tokens
        )
        return f"<|im_start|>user\n{pictures}{numbers}<|im_end|>\n<|im_start|>assistant\n"

    def read(self, text: str) -> PromptState:
        """The state that a prompt text holds, each number as the value of its bin.

        Raises ValueError when a number is missing.
        """
        found: dict[str, list[float]] = {family: [] for family in BINS}
        for family, index in re.findall(r"<([a-z]+)_(\d+)>", text):
            found[family].append(float(BINS[family][int(index)]))
        maneuvers = [maneuver for maneuver, name in zip(Maneuver, MANEUVERS, strict=True) if name in text]
        counts = [len(found[family]) for family in ("speed", "since", "in", "x", "y")] + [len(maneuvers)]
        if counts != [1, 1, 1, 2, 2, 1]:
            raise ValueError(
                f"prompt holds {counts} of speed, since, in, x, y, maneuver; expected [1, 1, 1, 2, 2, 1]"
            )
        targets = np.stack([found["x"], found["y"]], -1)
        return PromptState(found["speed"][0], found["since"][0], maneuvers[0], found["in"][0], targets)

    def opening(self, follow_up: str) -> str:
        """What stands between the plan's queries and the words of an answer: a thought's begin, or a further question."""
        if not follow_up:
            return "<think>"
        return f"<|im_end|>\n<|im_start|>user\n{follow_up}<|im_end|>\n<|im_start|>assistant\n"

    @staticmethod
    def closing(follow_up: str) -> str:
        """What ends those words."""
        return "<|im_end|>" if follow_up else "</think>"

    def encode(self, text: str) -> np.ndarray:
        """Ids (n,) of a text; special tokens in it are recognised."""
        return np.asarray(self._tokenizer.encode(text, add_special_tokens=False).ids, dtype=np.int64)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, special tokens included."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=False)

    def number_ids(
        self,
        speed_mps: np.ndarray,
        since_stop_m: np.ndarray,
        maneuver: np.ndarray,
        maneuver_m: np.ndarray,
        targets_ego: np.ndarray,
    ) -> np.ndarray:
        """Ids (n, NUMBERS) of many states at once: what `encode(write(...))` holds at the places of the numbers."""

        def ids(family: str, values: np.ndarray) -> np.ndarray:
            return self._first[family] + nearest_bin(family, values)

        unknown = sorted(set(np.unique(maneuver).tolist()) - set(self._maneuver))
        if unknown:
            raise ValueError(f"maneuver values {unknown} are unknown, expected {sorted(self._maneuver)}")
        maneuvers = np.array([self._maneuver[int(value)] for value in maneuver], dtype=np.int64)
        near = within_reach(targets_ego)
        targets = [ids(family, near[:, k, axis]) for k in range(2) for axis, family in enumerate(("x", "y"))]
        columns = [
            ids("speed", speed_mps),
            ids("since", since_stop_m),
            maneuvers,
            ids("in", maneuver_m),
            *targets,
        ]
        return np.stack(columns, 1).astype(np.int64)
