"""Decoding against what a user would pick instead: same model, same prompts, same beams and limit.

The reference is transformers' own `generate` in fp32, 16 sentences at a time in the order of the
file, which is what one would write without the lab.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Any

from mtlab.backends import check_backend
from mtlab.bench.contest import Contestant, Lap, Standing, hold
from mtlab.bench.tuned import Tuned
from mtlab.errors import InputError, NotAvailable
from mtlab.settings import Settings
from mtlab.spec import Decoding

if TYPE_CHECKING:
    from mtlab.models import Loaded

BATCH = 16
"""Sentences at a time of plain `generate`."""

NAMES = (
    "hf", "hf-sorted", "mtlab", "mtlab-bf16", "ctranslate2", "ctranslate2-int8", "vllm"
)  # fmt: skip
"""Who may take part; `hf` always does, and is the reference."""

Order = Callable[[Sequence[Sequence[int]]], list[int]]


def contest(
    against: Sequence[str],
    settings: Settings,
    *,
    base: str = "nano",
    direction: str = "de-en",
    size: int = 64,
    beams: int = 4,
    test: str = "everyday",
    limit: int = 128,
    rounds: int = 3,
    tell: Callable[[str], None] = lambda text: None,
) -> list[Standing]:
    """Fine-tune a model a little, and let decoders translate with it in turns.

    Rates are sentences a second; agreement is the share of answers that are the reference's;
    quality is corpus BLEU.

    Args:
        against: names of `NAMES`; the reference need not be named.
        settings: the lab's.
        base: the model.
        direction: from which language into which.
        size: everyday pairs it is tuned on.
        beams: beam width.
        test: `everyday` or `wmt22`.
        limit: sentences at most.
        rounds: laps of each.
        tell: is told what happens.

    Raises:
        InputError: an unknown contestant, model, direction or test set.
        NotAvailable: the test set cannot be had, or the reference cannot run.
    """
    for name in against:
        if name not in NAMES:
            raise InputError(
                f"there is no contestant '{name}'",
                field="against",
                fix=f"choose of {', '.join(NAMES)}",
            )
    from mtlab.models import set_threads

    set_threads(settings)
    tell(f"fine-tuning {base} on {size} pairs of {direction}")
    tuned = Tuned.make(base, direction, size, beams, settings)
    try:
        pairs = tuned.tests(test, limit)
        work = Work(tuned, tuple(pair.source for pair in pairs))
        names = ["hf", *(name for name in dict.fromkeys(against) if name != "hf")]
        references = [pair.target for pair in pairs]
        return hold(
            [contestant(name, work) for name in names],
            rounds,
            _equal,
            quality=lambda lap: _bleu(lap, references),
            tell=tell,
        )
    finally:
        tuned.close()


@dataclass(frozen=True)
class Work:
    """What is to be translated, and with which model."""

    tuned: Tuned
    sources: tuple[str, ...]

    @property
    def decoding(self) -> Decoding:
        """How."""
        return self.tuned.spec.decoding


def contestant(name: str, work: Work) -> Contestant:
    """The contestant of a name in `NAMES`."""
    beams = f"beam {work.decoding.beams}"
    if name == "hf":
        return Plain(name, f"generate, fp32, {BATCH} at a time in file order, {beams}", work)
    if name == "hf-sorted":
        how = f"generate, bf16 where it is fast, {BATCH} at a time by length, {beams}"
        return Plain(name, how, work, lambda tuned: tuned.fast, _by_length)
    if name == "mtlab":
        return Lab(name, f"mtlab, fp32, {beams}", work)
    if name == "mtlab-bf16":
        return Lab(name, f"mtlab, bf16, {beams}", work, model=_bf16)
    if name == "vllm":
        return Lab(name, "vLLM, greedy", work, {"backend": "vllm", "strategy": "greedy"})
    precision = "int8" if name.endswith("int8") else "fp32"
    changes = {"backend": "ctranslate2", "precision": precision}
    return Lab(name, f"mtlab by CTranslate2, {precision}, {beams}", work, changes)


def _wide(tuned: Tuned) -> Loaded:
    return tuned.fp32


def _bf16(tuned: Tuned) -> Loaded:
    if tuned.fast.dtype_name != "bf16":
        raise NotAvailable("bf16 is not fast on this machine")
    return tuned.fast


def _by_length(prompts: Sequence[Sequence[int]]) -> list[int]:
    return sorted(range(len(prompts)), key=lambda place: -len(prompts[place]))


def _as_they_come(prompts: Sequence[Sequence[int]]) -> list[int]:
    return list(range(len(prompts)))


@dataclass
class Plain:
    """What one would write without the lab, around `generate`."""

    name: str
    how: str
    work: Work
    model: Callable[[Tuned], Loaded] = _wide
    order: Order = _as_they_come
    _loaded: Any = field(default=None, repr=False)

    def prepare(self) -> dict[str, str]:
        """As `Contestant.prepare`."""
        self._loaded = self.model(self.work.tuned)
        self.lap()
        return _versions("transformers")

    def lap(self) -> Lap:
        """As `Contestant.lap`."""
        return _timed(self._translate)

    def close(self) -> None:
        """As `Contestant.close`."""
        self._loaded = None

    def _translate(self) -> list[str]:
        import torch

        tuned, decoding, model = self.work.tuned, self.work.decoding, self._loaded.model
        tokenizer = self._loaded.tokenizer
        tokenizer.padding_side = "left"
        texts = [tuned.template.prompt(one, tuned.direction) for one in self.work.sources]
        order = self.order(tokenizer(texts)["input_ids"])
        answers = [""] * len(texts)
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            batch = tokenizer([texts[row] for row in rows], return_tensors="pt", padding=True)
            batch.pop("token_type_ids", None)
            with torch.inference_mode():
                output = model.generate(
                    **batch.to(self._loaded.device),
                    num_beams=decoding.beams,
                    max_new_tokens=decoding.token_limit,
                    do_sample=False,
                    pad_token_id=tokenizer.pad_token_id,
                )
            written = output[:, batch["input_ids"].shape[1] :]
            made = tokenizer.batch_decode(written, skip_special_tokens=True)
            for row, answer in zip(rows, made, strict=True):
                answers[row] = answer.strip()
        return answers


@dataclass
class Lab:
    """The lab's own `translate`, with one of its backends."""

    name: str
    how: str
    work: Work
    changes: Mapping[str, Any] = field(default_factory=dict)
    model: Callable[[Tuned], Loaded] = _wide
    _loaded: Any = field(default=None, repr=False)

    def prepare(self) -> dict[str, str]:
        """As `Contestant.prepare`."""
        from mtlab.models import device_name

        check_backend(self._decoding)
        if self._decoding.decoder == "vllm" and device_name() != "cuda":
            raise NotAvailable("vLLM wants a GPU", fix="run this on a machine that has one")
        self._loaded = self.model(self.work.tuned)
        self.lap()
        return _versions(self._decoding.decoder)

    def lap(self) -> Lap:
        """As `Contestant.lap`."""
        return _timed(self._translate)

    def close(self) -> None:
        """As `Contestant.close`."""
        self._loaded = None

    @property
    def _decoding(self) -> Decoding:
        return Decoding(**{**self.work.decoding.model_dump(), **self.changes})

    def _translate(self) -> list[str]:
        from mtlab.decoding import translate

        tuned = self.work.tuned
        found = translate(
            self._loaded,
            self.work.sources,
            tuned.direction,
            self._decoding,
            tuned.template,
            converted=tuned.converted,
        )
        return [one.text for one in found]


def _timed(translate: Callable[[], list[str]]) -> Lap:
    started, used = time.perf_counter(), time.process_time()
    made = translate()
    seconds, busy = time.perf_counter() - started, time.process_time() - used
    return Lap(seconds, len(made), tuple(made), busy)


def _versions(decoder: str) -> dict[str, str]:
    return {name: metadata.version(name) for name in ("torch", decoder)}


def _equal(lap: Lap, reference: Lap) -> float:
    same = [one == other for one, other in zip(lap.made, reference.made, strict=True)]
    return sum(same) / len(same)


def _bleu(lap: Lap, references: Sequence[str]) -> float:
    from sacrebleu.metrics import BLEU

    return float(BLEU().corpus_score(list(map(str, lap.made)), [list(references)]).score)
