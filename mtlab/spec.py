"""An experiment as a value: frozen, validated once, the same in the browser, the shell and Python.

A `RunSpec` says what is to be done and nothing about where, but for how many devices share the
work (`devices`, `strategy`), which changes nothing of what is learnt. What it leaves open (`None`)
is filled in by `mtlab.defaults.complete` before the run is written down, so that `spec.json` is
complete. Whether a corpus has what a spec asks for is the corpus's to say (`mtlab.corpora.check`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from mtlab.complaints import first_problem, no_part, shortened
from mtlab.errors import InputError
from mtlab.languages import language
from mtlab.methods import amount, check_method, learns_from, system_name, trains
from mtlab.noise_kinds import NOISE_KINDS
from mtlab.yaml_files import read_yaml_mapping

if TYPE_CHECKING:
    NoiseKind = str
else:
    NoiseKind = Literal[("none", *NOISE_KINDS)]

PLACEHOLDERS = ("{source}", "{instruction}", "{source_language}", "{target_language}")
"""What a template may hold."""


class Direction(BaseModel):
    """A translation direction such as `de-en`: from `source` into `target`."""

    model_config = ConfigDict(frozen=True)
    source: str
    target: str

    @classmethod
    def parse(cls, text: str, *, field: str = "direction") -> Direction:
        """Read `de-en`.

        Raises:
            InputError: not two known, different codes joined by a hyphen.
        """
        codes = text.strip().lower().split("-") if isinstance(text, str) else []
        if len(codes) != 2 or not all(codes):
            raise InputError(
                f"'{shortened(text)}' is not a direction",
                field=field,
                fix="write source-target, like de-en",
            )
        source, target = (language(code, field=field).code for code in codes)
        if source == target:
            raise InputError(
                f"'{text}' translates a language into itself",
                field=field,
                fix="give two different languages, like de-en",
            )
        return cls(source=source, target=target)

    @classmethod
    def of(cls, value: Direction | str) -> Direction:
        """A direction, read if it is text; raises as `parse`."""
        return cls.parse(value) if isinstance(value, str) else value

    @property
    def source_name(self) -> str:
        """The source language's English name."""
        return language(self.source).name

    @property
    def target_name(self) -> str:
        """The target language's English name."""
        return language(self.target).name

    def reversed(self) -> Direction:
        """The same pair of languages the other way round."""
        return Direction(source=self.target, target=self.source)

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"


def _to_directions(value: Any, info: ValidationInfo) -> tuple[Direction, ...]:
    """One direction or several, as text or as they are; what is wrong names the spec's field."""
    alone = isinstance(value, str | Direction | Mapping) or not isinstance(value, Iterable)
    return tuple(
        one if isinstance(one, Direction) else Direction.parse(one, field=str(info.field_name))
        for one in ((value,) if alone else value)
    )


DirectionField = Annotated[Direction, PlainSerializer(str, return_type=str)]
Directions = Annotated[tuple[DirectionField, ...], BeforeValidator(_to_directions)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise first_problem(error, type(self).model_fields) from None


class Noise(_Part):
    """What is done to the training pairs on purpose."""

    kind: NoiseKind = Field("none", description="the kind of noise")
    side: Literal["source", "target", "both"] = Field("target", description="which side it hits")
    ratio: float = Field(1.0, ge=0, le=1, description="the share of pairs touched, 0 to 1")
    translator: str | None = Field(
        None,
        min_length=1,
        description="of sentence noise: a run's id, latest, base:NAME, or a translation model of "
        "the hub or a folder; {source} and {target} in it stand for the languages",
    )
    dictionary: str | None = Field(
        None,
        min_length=1,
        description="of word noise: a MUSE dictionary, FILE or FILE:de-en; {source} and {target} "
        "in it stand for the languages",
    )
    terms: str | None = Field(
        None,
        min_length=1,
        description="of jargon noise: a file with a term a line, or CODE TAB term",
    )
    language: str | None = Field(None, description="of wrong-language noise: the third language")

    @field_validator("language")
    @classmethod
    def _known_language(cls, code: str | None) -> str | None:
        return None if code is None else language(code, field="language").code

    @property
    def active(self) -> bool:
        """Whether any pair is changed at all."""
        return self.kind != "none" and self.ratio > 0


class Training(_Part):
    """How the model is fine-tuned. `None` means: the default for this base, method and size."""

    method: Literal["lora", "full", "few-shot", "none"] | None = Field(
        None,
        description="LoRA or full fine-tuning; or nothing trained: few-shot shows the base "
        "examples in its prompt, none takes it as it is",
    )
    learning_rate: float | None = Field(None, gt=0, le=1, description="peak learning rate")
    steps: int | None = Field(None, ge=1, le=1_000_000, description="optimizer steps")
    batch_size: int | None = Field(
        None, ge=1, le=4096, description="pairs per forward pass; more where a GPU has room"
    )
    accumulation: int | None = Field(None, ge=1, le=4096, description="passes per optimizer step")
    schedule: Literal["linear", "cosine", "constant"] = Field(
        "linear", description="how the learning rate falls"
    )
    warmup: float = Field(0.1, ge=0, lt=1, description="share of the steps spent warming up")
    weight_decay: float = Field(0.0, ge=0, le=1, description="AdamW weight decay")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="number format")
    gradient_checkpointing: bool | None = Field(
        None, description="recompute activations to save memory"
    )
    max_length: int | None = Field(
        None, ge=16, le=131_072, description="tokens per example; longer pairs are dropped, counted"
    )
    checkpoint_steps: int | None = Field(None, ge=1, description="steps between checkpoints")
    lora_rank: int = Field(16, ge=1, le=1024, description="rank of the LoRA matrices")
    lora_alpha: int = Field(32, ge=1, le=4096, description="LoRA scaling numerator")
    lora_dropout: float = Field(0.0, ge=0, lt=1, description="dropout inside the adapter")
    lora_targets: tuple[str, ...] | None = Field(None, description="modules to adapt")

    @property
    def trains(self) -> bool:
        """Whether the model is changed at all."""
        return trains(self.method)


class Decoding(_Part):
    """How hypotheses are produced."""

    strategy: Literal["beam", "greedy", "sample"] = Field("beam", description="search strategy")
    beams: int = Field(4, ge=1, le=64, description="beam width for beam search")
    max_new_tokens: int | None = Field(
        None, ge=1, le=4096, description="at most this many new tokens"
    )
    temperature: float = Field(1.0, gt=0, le=10, description="sampling temperature")
    top_p: float = Field(1.0, gt=0, le=1, description="nucleus sampling mass")
    token_budget: int | None = Field(
        None, ge=64, description="prompt tokens x beams per batch at most"
    )
    backend: Literal["auto", "transformers", "ctranslate2", "vllm"] = Field(
        "auto", description="what decodes; auto is transformers, the fastest where it was measured"
    )
    precision: Literal["auto", "fp32", "bf16", "int8"] = Field(
        "auto", description="number format of ctranslate2; auto is bf16 on a GPU that has it"
    )

    @model_validator(mode="after")
    def _backend_can(self) -> Decoding:
        if self.backend == "vllm" and self.strategy != "greedy":
            raise InputError(
                "vllm is offered for greedy decoding alone",
                field="backend",
                fix="set the strategy to greedy, or the backend to auto",
            )
        if self.backend == "ctranslate2" and self.strategy == "sample":
            raise InputError(
                "ctranslate2 cannot draw each sentence by a seed of its own",
                field="backend",
                fix="set the strategy to beam or greedy, or the backend to auto",
            )
        if self.precision != "auto" and self.backend != "ctranslate2":
            raise InputError(
                "only ctranslate2 takes a precision of its own",
                field="precision",
                fix="leave it at auto, set the backend to ctranslate2, or set training's precision",
            )
        return self

    @property
    def decoder(self) -> Literal["transformers", "ctranslate2", "vllm"]:
        """The backend that decodes, `auto` resolved."""
        return "transformers" if self.backend == "auto" else self.backend

    def by_transformers(self) -> Decoding:
        """The same search by the lab's own backend, whatever this names."""
        return self.model_copy(update={"backend": "transformers", "precision": "auto"})

    def deciding(self) -> dict[str, Any]:
        """What of it decides the answers, as plain values: a part of the key of what is kept."""
        data = self.model_dump(mode="json")
        if self.decoder == "transformers":
            del data["backend"], data["precision"]
        return data

    @property
    def token_limit(self) -> int:
        """New tokens at most: what was asked for, else the paper's 256."""
        return self.max_new_tokens or 256


class RunSpec(_Part):
    """One run: a base model, some training pairs, and what it is tested on."""

    name: str | None = Field(None, max_length=120, description="a name for people")
    group: str | None = Field(None, max_length=120, description="the sweep it belongs to")
    base: str = Field(
        "nano",
        min_length=1,
        description="preset, hub name, local folder or run:ID to go on from; with the method none "
        "also a translation model, {source} and {target} in it standing for the languages, or "
        "outputs:FILE",
    )
    revision: str | None = Field(None, description="revision of a hub model")
    corpus: str = Field("everyday", min_length=1, description="everyday, wmt, hub:NAME or a file")
    size: int = Field(
        32, ge=0, description="training pairs in all; few-shot: examples shown, 32 at most"
    )
    train: Directions = Field((), description="training directions")
    balance: Literal["balanced", "proportional"] = Field(
        "balanced", description="equal shares per direction, or as large as their pools"
    )
    reverse: float = Field(
        0.0, ge=0, le=1, description="share of the pairs turned round, target into source, 0 to 1"
    )
    noise: Noise = Noise()
    training: Training = Training()
    decoding: Decoding = Decoding()
    test: Directions | None = Field(None, description="test directions")
    test_corpus: str | None = Field(None, description="where test pairs come from")
    test_limit: int | None = Field(None, ge=1, description="at most this many segments a direction")
    metrics: tuple[Literal["bleu", "chrf", "comet"], ...] = Field(
        ("bleu", "chrf", "comet"), min_length=1, description="the metrics that score it"
    )
    comet_model: str = Field("Unbabel/wmt22-comet-da", description="COMET model, hub or folder")
    template: str | None = Field(
        None,
        description="own prompt with {source}, {source_language}, {target_language}; or 'chat'",
    )
    devices: int = Field(
        1, ge=1, le=64, description="GPUs that share the work; on a CPU, so many processes"
    )
    strategy: Literal["ddp", "fsdp"] = Field(
        "ddp",
        description="how several devices train: ddp holds the whole model on each, fsdp a share",
    )
    probe_size: int = Field(16, ge=0, le=256, description="segments translated while it trains")
    score_base: bool = Field(True, description="score the untuned base model beside the run")
    seed: int = Field(0, ge=0, lt=2**31, description="seed of the draw, noise and training")

    @field_validator("noise", "training", "decoding", mode="wrap")
    @classmethod
    def _part(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """What is wrong inside a part is named from the spec's top: `noise.ratio`."""
        if isinstance(value, Mapping):
            value = {str(key): one for key, one in value.items()}
        try:
            return handler(value)
        except InputError as error:
            field = f"{info.field_name}.{error.field}"
            raise InputError(error.what, field=field, why=error.why, fix=error.fix) from None

    @model_validator(mode="after")
    def _no_repeats(self) -> RunSpec:
        for name in ("train", "test"):
            directions = getattr(self, name)
            if directions is not None and len(set(directions)) != len(directions):
                raise InputError(
                    "a direction is named twice", field=name, fix="name each direction once"
                )
        if self.test is not None and not self.test:
            raise InputError(
                "no test direction is given", field="test", fix="name at least one, like de-en"
            )
        check_method(self)
        template = self.template
        if template and template != "chat" and "{source}" not in template:
            raise InputError(
                "the template has no {source}",
                field="template",
                fix="put {source} where the sentence goes",
            )
        unknown = set(re.findall(r"\{[a-z_]+\}", template or "")) - set(PLACEHOLDERS)
        if unknown:
            raise InputError(
                f"the template has an unknown {min(unknown)}",
                field="template",
                fix=f"use {', '.join(PLACEHOLDERS)}",
            )
        return self

    @property
    def tested(self) -> tuple[Direction, ...]:
        """The directions that are tested."""
        return self.test if self.test is not None else self.train

    @property
    def drawn(self) -> Directions:
        """The directions whose training pairs are drawn: to train on them, or to show them."""
        if self.training.trains:
            return self.train
        return self.tested if self.training.method == "few-shot" else ()

    @property
    def amount(self) -> str:
        """How much it learns from, in words: `32 pairs`, `3 examples shown`, `not trained`."""
        return amount(self.training.method, self.size)

    @property
    def system(self) -> str:
        """What its own translations are called: `fine-tuned`, `few-shot` or `not trained`."""
        return system_name(self.training.method)

    @property
    def learns_from(self) -> str:
        """The training directions in words; `examples shown` or `not trained` without any."""
        return learns_from(self.training.method, self.train)

    def with_changes(self, **changes: Any) -> RunSpec:
        """The same spec with some fields changed, validated again (`training__steps=20` nests)."""
        data = self.to_json()
        for key, value in changes.items():
            put(data, key.replace("__", "."), value)
        return RunSpec.from_json(data)

    def to_json(self) -> dict[str, Any]:
        """The spec as plain JSON values."""
        data: dict[str, Any] = self.model_dump(mode="json")
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunSpec:
        """Validate plain values.

        Raises:
            InputError: the first field that is wrong, and how to mend it.
        """
        if not isinstance(data, Mapping):
            raise InputError(
                "a spec is made of fields", field="spec", fix="write fields such as 'size: 32'"
            )
        return cls(**{str(key): value for key, value in data.items()})

    @classmethod
    def from_yaml(cls, path: str | Path) -> RunSpec:
        """Read a spec from a YAML or JSON file.

        Raises:
            InputError: no such file, not YAML, or not a spec.
        """
        return cls.from_json(read_yaml_mapping(path))

    def to_yaml(self) -> str:
        """The spec as YAML, without what is at its default."""
        import yaml

        data = json.loads(self.model_dump_json(exclude_defaults=True))
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set the field at a path such as `noise.ratio` in a spec's plain values.

    Raises:
        InputError: a part on the way there is not made of fields.
    """
    *parts, last = path.split(".")
    for part in parts:
        if data.get(part) is None:
            data[part] = {}
        if not isinstance(data[part], dict):
            raise no_part(data[part], part)
        data = data[part]
    data[last] = value


__all__ = [
    "Decoding",
    "Direction",
    "Noise",
    "RunSpec",
    "Training",
    "put",
]
