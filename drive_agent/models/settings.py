"""What can be chosen about models that answer in words. Values only: knows nothing of the models."""

from __future__ import annotations

from dataclasses import dataclass

PRECISIONS = ("nf4", "int8", "bfloat16")
DIALECTS = ("vllm", "openai")
WORDINGS = ("stock", "tuned")
EMBEDDED_PRECISIONS = ("float32", "bfloat16", "int8", "nf4")


def _expect(name: str, value: object, ok: object, expected: str) -> None:
    if not ok:
        raise ValueError(f"{name}={value}: expected {expected}; give it as {name}=VALUE")


@dataclass(frozen=True)
class WordsConfig:
    """How a model that answers in words is asked, and how long it may answer."""

    wording: str = "stock"  # "tuned" for a model that was fine-tuned on this project's wording
    scene: bool = True  # ask for objects and lights too, not for the plan alone
    picture_tokens: int = 300  # at most so many visual tokens a camera
    think_tokens: int = 0  # at most so many tokens of thought; 0: thinking is off
    answer_tokens: int = 1024  # at most so many tokens of answer
    constrained: bool = True  # hold the decoder to the answer's form

    def __post_init__(self) -> None:
        _expect("model.words.wording", self.wording, self.wording in WORDINGS, " or ".join(WORDINGS))
        _expect(
            "model.words.picture_tokens", self.picture_tokens, 4 <= self.picture_tokens <= 16384, "4 to 16384"
        )
        _expect("model.words.think_tokens", self.think_tokens, 0 <= self.think_tokens <= 16384, "0 to 16384")
        _expect(
            "model.words.answer_tokens", self.answer_tokens, 1 <= self.answer_tokens <= 16384, "1 to 16384"
        )


@dataclass(frozen=True)
class EmbeddedSettings:
    """How the embedded model's weights are held, and how often it says why."""

    precision: str = "float32"  # on a CPU bfloat16 means rounded weights; int8 and nf4 want bitsandbytes
    explain_every: int = 0  # a rationale in words beside every so many-th plan; 0: none

    def __post_init__(self) -> None:
        known = self.precision in EMBEDDED_PRECISIONS
        _expect("model.embedded.precision", self.precision, known, ", ".join(EMBEDDED_PRECISIONS))
        _expect(
            "model.embedded.explain_every",
            self.explain_every,
            0 <= self.explain_every <= 10_000,
            "0 to 10000",
        )
        spoken = self.explain_every == 0 or self.precision in ("float32", "bfloat16")
        _expect(
            "model.embedded.precision",
            self.precision,
            spoken,
            "float32 or bfloat16 where explain_every is not 0",
        )


@dataclass(frozen=True)
class VlmConfig:
    """How the weights of a Qwen2.5-VL class model are held."""

    precision: str = "nf4"
    device: str = "auto"  # "auto", "cpu", "cuda" or "cuda:1"
    adapter: str | None = None  # a folder with a LoRA adapter

    def __post_init__(self) -> None:
        if self.precision in ("float16", "fp16", "half"):
            raise ValueError(
                f"model.vlm.precision={self.precision}: expected {', '.join(PRECISIONS)}; the vision tower's activations "
                "reach 5e4, float16 ends at 65504, and answers become rows of '!'; give model.vlm.precision=bfloat16"
            )
        known = self.precision in PRECISIONS
        _expect("model.vlm.precision", self.precision, known, ", ".join(PRECISIONS))


@dataclass(frozen=True)
class ServedConfig:
    """Where an OpenAI-compatible server answers, and how patient its client is."""

    url: str = "http://127.0.0.1:8000/v1"
    served_name: str = ""  # the model's name there; "": the only one that is served
    dialect: str = (
        "vllm"  # "openai": without vLLM's fields, so neither the form nor the answer's beginning is given
    )
    timeout_s: float = 10.0
    retries: int = 1

    def __post_init__(self) -> None:
        is_url = self.url.startswith(("http://", "https://"))
        _expect("model.served.url", self.url, is_url, "an address like http://127.0.0.1:8000/v1")
        _expect("model.served.dialect", self.dialect, self.dialect in DIALECTS, " or ".join(DIALECTS))
        _expect("model.served.timeout_s", self.timeout_s, 0 < self.timeout_s <= 600, "up to 600 seconds")
        _expect("model.served.retries", self.retries, 0 <= self.retries <= 10, "0 to 10")
