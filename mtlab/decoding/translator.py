"""Sentences into hypotheses with a transformers model: the lab's one way to decode."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import torch

from mtlab.decoding.batches import plan
from mtlab.decoding.search import (
    Found,
    beam_search,
    draw_token,
    greedy_search,
    sample_search,
)
from mtlab.decoding.stepper import Stepper, can_step
from mtlab.errors import InputError, NotAvailable, RunFailed
from mtlab.models import Loaded
from mtlab.prompts import Template, prompt_ids
from mtlab.spec import Decoding, Direction

DEFAULT_BUDGET = 4096
TOO_LONG = "the source is longer than the model's context"


@dataclass(frozen=True)
class Hypothesis:
    """One answer.

    Attributes:
        text: what the model wrote, without marks and outer white space.
        ended: whether the model ended it; False where it was cut.
        tokens: tokens written, the end mark left out.
        note: why there is no answer, where there is none; a source that does not fit into the
            model's context is never cut: its answer is empty, not ended, and says so.
    """

    text: str
    ended: bool
    tokens: int
    note: str | None = None


NOTHING = Hypothesis("", True, 0)
"""The answer to an empty source: the model is not asked to make one up."""


class DecodingStopped(RunFailed):
    """`should_stop` said yes before the last sentence was translated."""


def translate(
    loaded: Loaded,
    sources: Sequence[str],
    direction: Direction,
    decoding: Decoding,
    template: Template,
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Hypothesis]:
    """Translate sentences; the answers come in the order of the input.

    The order of the input changes no answer, and equal sources get equal answers (sampling, too,
    draws by `seed` and source).

    Args:
        loaded: the model.
        sources: one sentence each.
        direction: from which language into which.
        decoding: how.
        template: the prompt; its first instruction is used.
        seed: of sampling.
        on_progress: called with how many are done and how many there are.
        should_stop: asked at every step.

    Raises:
        DecodingStopped: `should_stop` said yes.
        NotAvailable: even half a batch does not fit into memory.
    """
    unique = list(dict.fromkeys(sources))
    prompts = [prompt_ids(loaded.tokenizer, template, source, direction) for source in unique]
    context = loaded.context
    found: dict[int, Found] = {}
    fitting = [
        index
        for index, prompt in enumerate(prompts)
        if unique[index].strip() and (context is None or len(prompt) < context)
    ]
    counts = {source: 0 for source in unique}
    for source in sources:
        counts[source] += 1
    done = sum(counts[unique[index]] for index in set(range(len(unique))) - set(fitting))

    def poll() -> None:
        if should_stop is not None and should_stop():
            raise DecodingStopped("decoding was stopped", fix="resume the run to go on")

    budget = decoding.token_budget or DEFAULT_BUDGET
    with _inference(loaded.model):
        for batch in plan([prompts[i] for i in fitting], _rows(decoding), budget):
            indices = [fitting[i] for i in batch]
            work = _Work(
                loaded,
                [prompts[index] for index in indices],
                [_seed_for(unique[index], seed) for index in indices],
                decoding,
                _ends(loaded, template),
                poll,
            )
            found.update(zip(indices, work.run_or_halve(), strict=True))
            done += sum(counts[unique[index]] for index in indices)
            if on_progress is not None:
                on_progress(done, len(sources))
    answers = {
        source: _hypothesis(loaded.tokenizer, found.get(index), template)
        if source.strip()
        else NOTHING
        for index, source in enumerate(unique)
    }
    return [answers[source] for source in sources]


def stream(
    loaded: Loaded,
    source: str,
    direction: Direction,
    decoding: Decoding,
    template: Template,
    *,
    seed: int = 0,
) -> Iterator[str]:
    """The translation as it is written: each item is all of it so far.

    Beam search knows its answer only at the end and yields once.

    Raises:
        InputError: the source is longer than the model's context.
    """
    prompt = prompt_ids(loaded.tokenizer, template, source, direction)
    context = loaded.context
    if context is not None and len(prompt) >= context:
        raise InputError(TOO_LONG, field="source", fix=f"give fewer than {context} tokens")
    limit = _limit(loaded, decoding, len(prompt))
    if _rows(decoding) > 1 or not can_step(loaded.model, len(prompt) + limit):
        yield translate(loaded, [source], direction, decoding, template, seed=seed)[0].text
        return
    seeds = [_seed_for(source, seed)]
    shown = ""
    for tokens in _steps(loaded, prompt, limit, decoding, _ends(loaded, template), seeds):
        text = _hypothesis(loaded.tokenizer, Found(tuple(tokens), False), template).text
        # A character may need several tokens: until it is whole it shows as a replacement mark.
        text = text.rstrip("\ufffd")
        if text != shown:
            shown = text
            yield text
    if not shown:
        yield ""


def _steps(
    loaded: Loaded,
    prompt: list[int],
    limit: int,
    decoding: Decoding,
    ends: Sequence[int],
    seeds: list[int],
) -> Iterator[list[int]]:
    made: list[int] = []
    generator = torch.Generator().manual_seed(seeds[0])
    with _inference(loaded.model):
        stepper = Stepper(loaded.model, [prompt], 1, _pad(loaded), loaded.device)
    while len(made) < limit:
        with torch.inference_mode():
            if decoding.strategy == "sample":
                token = int(
                    draw_token(
                        stepper.logits[:, 0], [generator], decoding.temperature, decoding.top_p
                    )
                )
            else:
                token = int(stepper.logits.argmax())
            if token in ends:
                return
            made.append(token)
            yield made
            if len(made) < limit:
                stepper.step(torch.tensor([[token]], device=loaded.device))


@dataclass(frozen=True)
class _Work:
    """One batch to be searched."""

    loaded: Loaded
    prompts: list[list[int]]
    seeds: list[int]
    decoding: Decoding
    ends: tuple[int, ...]
    poll: Callable[[], None]

    def run_or_halve(self) -> list[Found]:
        """Search; when memory runs out, try once more in two halves."""
        try:
            return self.run()
        except Exception as error:
            if not out_of_memory(error) or len(self.prompts) == 1:
                _explain(error)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        middle = (len(self.prompts) + 1) // 2
        try:
            return self._part(0, middle).run() + self._part(middle, len(self.prompts)).run()
        except Exception as error:
            _explain(error)

    def _part(self, start: int, end: int) -> _Work:
        return replace(self, prompts=self.prompts[start:end], seeds=self.seeds[start:end])

    def run(self) -> list[Found]:
        loaded, decoding = self.loaded, self.decoding
        limits = [_limit(loaded, decoding, len(prompt)) for prompt in self.prompts]
        if not can_step(loaded.model, max(map(len, self.prompts)) + max(limits)):
            from mtlab.decoding.fallback import generate

            return generate(loaded, self.prompts, limits, self.seeds, decoding, self.ends)
        stepper = Stepper(loaded.model, self.prompts, _rows(decoding), _pad(loaded), loaded.device)
        ends = self.ends
        if decoding.strategy == "sample":
            return sample_search(
                stepper, limits, ends, self.poll,
                seeds=self.seeds, temperature=decoding.temperature, top_p=decoding.top_p,
            )  # fmt: skip
        if _rows(decoding) == 1:
            return greedy_search(stepper, limits, ends, self.poll)
        return beam_search(stepper, decoding.beams, limits, ends, self.poll)


def _rows(decoding: Decoding) -> int:
    return decoding.beams if decoding.strategy == "beam" else 1


def _limit(loaded: Loaded, decoding: Decoding, prompt_length: int) -> int:
    room = decoding.token_limit
    return room if loaded.context is None else min(room, loaded.context - prompt_length)


def _seed_for(source: str, seed: int) -> int:
    digest = hashlib.sha256(f"{seed}\0{source}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 2**63


def _ends(loaded: Loaded, template: Template) -> tuple[int, ...]:
    """The tokens that end an answer."""
    if not template.one_line:
        return loaded.end_ids
    return tuple(sorted({*loaded.end_ids, *loaded.line_ends}))


def _pad(loaded: Loaded) -> int:
    pad = loaded.tokenizer.pad_token_id
    return int(pad if pad is not None else 0)


def _hypothesis(tokenizer: Any, found: Found | None, template: Template) -> Hypothesis:
    if found is None:
        return Hypothesis("", False, 0, TOO_LONG)
    text = tokenizer.decode(list(found.tokens), skip_special_tokens=True).strip()
    ended = found.ended
    if template.one_line and "\n" in text:  # in a token that holds more than the end of a line
        text, ended = text.partition("\n")[0].rstrip(), True
    return Hypothesis(text, ended, len(found.tokens))


class _inference:  # noqa: N801 - reads as the verb it is
    """Evaluation mode without gradients; the model's own mode is put back afterwards."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.grad = torch.inference_mode()

    def __enter__(self) -> None:
        self.was_training = self.model.training
        self.model.eval()
        self.grad.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.grad.__exit__(*error)
        self.model.train(self.was_training)


def out_of_memory(error: Exception) -> bool:
    """Whether a failure means that memory ran out, on whichever device."""
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "allocate memory" in text
    )


def _explain(error: Exception) -> NoReturn:
    if out_of_memory(error):
        raise NotAvailable(
            "decoding ran out of memory, in half a batch too",
            fix="lower the token budget or the number of beams",
        ) from error
    raise error
