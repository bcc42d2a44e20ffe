"""Sentences into hypotheses with a transformers model: the lab's one way to decode."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import torch

from mtlab.decoding.batches import plan
from mtlab.decoding.engines import Engine, engine_for
from mtlab.decoding.hypothesis import NOTHING, TOO_LONG, UNFIT, Hypothesis
from mtlab.decoding.inference import inference
from mtlab.decoding.keeping import Kept, Make, Nowhere, batch_by_batch
from mtlab.decoding.parity import hold_parity
from mtlab.decoding.search import (
    Found,
    Steps,
    beam_search,
    beam_steps,
    draw_token,
    greedy_search,
    sample_search,
)
from mtlab.decoding.spreading import Answers, Hands, Parcel, alone
from mtlab.decoding.stepper import Stepper, can_step, shared_prefix, width_of
from mtlab.defaults import budget_of
from mtlab.errors import InputError, NotAvailable, RunFailed
from mtlab.models import Loaded
from mtlab.prompts import Template, prompt_ids
from mtlab.spec import Decoding, Direction


class DecodingStopped(RunFailed):
    """`should_stop` said yes before the last sentence was translated."""


class Asked(NamedTuple):
    """One sentence, and from which language into which it is to be translated."""

    direction: Direction
    source: str


def translate(
    loaded: Loaded,
    sources: Sequence[str],
    direction: Direction,
    decoding: Decoding,
    template: Template,
    **options: Any,
) -> list[Hypothesis]:
    """Translate sentences of one direction; everything else is as of `translate_together`."""
    asked = [Asked(direction, source) for source in sources]
    return translate_together(loaded, asked, decoding, template, **options)


def translate_together(
    loaded: Loaded,
    asked: Sequence[Asked],
    decoding: Decoding,
    template: Template,
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    kept: Kept | None = None,
    converted: Path | None = None,
    tell: Callable[[str], None] | None = None,
    hands: Hands = alone,
) -> list[Hypothesis]:
    """Translate sentences of any directions in one stream; the answers come in the input's order.

    Sentences of like length stand in one batch, whatever their directions: fewer batches, and fewer
    ends of a batch in which few sentences are left. The order of the input changes no answer, and
    equal sources of a direction get equal answers (sampling, too, draws by `seed` and source). With
    `kept`, decoding that was cut off at any moment goes on with the batch it stood at, and its
    answers are those of decoding that was not, bit for bit on one CPU.

    Args:
        loaded: the model.
        asked: the sentences.
        decoding: how.
        template: the prompt; its first instruction is used.
        seed: of sampling.
        on_progress: called with how many are done and how many there are.
        should_stop: asked at every step.
        kept: where answers are kept as batches end, and found by the next attempt.
        converted: the folder of models in other backends' forms; a passing one when not given.
        tell: is told how another backend's answers compare, when its model is new.
        hands: who translates the batches; each is the same wherever that is done.

    Raises:
        DecodingStopped: `should_stop` said yes.
        InputError: the backend cannot take this model, or answers worse with it.
        NotAvailable: even half a batch does not fit into memory.
        OSError: answers cannot be kept, or a converted model not be written.
    """
    places: dict[Asked, list[int]] = {}
    for place, one in enumerate(asked):
        places.setdefault(one, []).append(place)
    context = loaded.context
    answers: dict[Asked, Hypothesis] = {}
    prompts: dict[int, list[int]] = {}  # by the first place of their source
    for one, where in places.items():
        prompt = prompt_ids(loaded.tokenizer, template, one.source, one.direction)
        if not one.source.strip():
            answers[one] = NOTHING
        elif context is not None and len(prompt) >= context:
            answers[one] = UNFIT
        else:
            prompts[where[0]] = prompt
    heads = _heads(asked, prompts)
    done = sum(len(places[one]) for one in answers)

    def poll() -> None:
        if should_stop is not None and should_stop():
            raise DecodingStopped("decoding was stopped", fix="resume the run to go on")

    engine = engine_for(loaded, decoding, converted)
    ends = _ends(loaded, template)

    def parcel(batch: Sequence[int]) -> Parcel:
        return Parcel(
            tuple(tuple(prompts[place]) for place in batch),
            tuple(heads[asked[place].direction] for place in batch),
            tuple(_seed_for(asked[place].source, seed) for place in batch),
            decoding,
            ends,
            template.one_line,
        )

    def make(batch: Sequence[int]) -> list[Hypothesis]:
        return answer_parcel(loaded, parcel(batch), poll, engine)

    def spread(left: Sequence[Sequence[int]], _: Make) -> Iterator[tuple[int, Answers]]:
        who = hands if engine is None else alone  # another backend's model is in this process
        return who([parcel(batch) for batch in left], lambda number: make(left[number]), poll)

    def answers_of(engine: Engine | None, tried: Sequence[Sequence[int]]) -> list[Found]:
        none = [0] * len(tried)
        work = _Work(loaded, list(map(list, tried)), none, none, decoding, ends, poll, engine)
        return work.run_or_halve()

    firsts = list(prompts)
    budget = budget_of(decoding, loaded.device.startswith("cuda"))
    planned = plan(list(prompts.values()), _rows(decoding), budget)
    batches = [[firsts[number] for number in batch] for batch in planned]
    with inference(loaded.model):
        if engine is not None:
            parity = hold_parity(
                loaded, decoding.decoder, engine.folder, list(prompts.values()),
                partial(answers_of, None), partial(answers_of, engine),
            )  # fmt: skip
            if parity is not None and tell is not None:
                tell(parity.sentence(decoding.decoder))
        for found in batch_by_batch(batches, kept or Nowhere(), make, spread):
            answers.update((asked[place], answer) for place, answer in found.items())
            done += sum(len(places[asked[place]]) for place in found)
            if on_progress is not None:
                on_progress(done, len(asked))
    return [answers[one] for one in asked]


def _heads(asked: Sequence[Asked], prompts: Mapping[int, list[int]]) -> dict[Direction, int]:
    """How many tokens all prompts of a direction begin with: its instruction's."""
    own: dict[Direction, list[list[int]]] = {}
    for place, prompt in prompts.items():
        own.setdefault(asked[place].direction, []).append(prompt)
    return {direction: shared_prefix(several) for direction, several in own.items()}


def answer_parcel(
    loaded: Loaded, parcel: Parcel, poll: Callable[[], None], engine: Engine | None = None
) -> list[Hypothesis]:
    """The answers to one batch.

    Args:
        loaded: the model.
        parcel: the batch.
        poll: called at every step; raises to end it.
        engine: another decoder than the lab's own.

    Raises:
        NotAvailable: even half of it does not fit into memory.
    """
    prompts = [list(prompt) for prompt in parcel.prompts]
    heads, seeds = list(parcel.heads), list(parcel.seeds)
    work = _Work(loaded, prompts, heads, seeds, parcel.decoding, parcel.ends, poll, engine)
    with inference(loaded.model):
        found = work.run_or_halve()
    return [_hypothesis(loaded.tokenizer, one, parcel) for one in found]


def stream(
    loaded: Loaded,
    source: str,
    direction: Direction,
    decoding: Decoding,
    template: Template,
    *,
    seed: int = 0,
) -> Iterator[Hypothesis]:
    """The translation as it is written: each item is all of it so far, the last is the answer.

    Of beam search a draft is the best beam as it stands, so that a later one may read differently.
    The answer is that of `translate` by the lab's own search, whatever backend is named. May be
    read from several threads, one at a time.

    Raises:
        InputError: the source is longer than the model's context.
        NotAvailable: memory does not suffice.
    """
    decoding = decoding.by_transformers()
    prompt = prompt_ids(loaded.tokenizer, template, source, direction)
    context = loaded.context
    if context is not None and len(prompt) >= context:
        raise InputError(TOO_LONG, field="source", fix=f"give fewer than {context} tokens")
    limit = _limit(loaded, decoding, len(prompt))
    if not source.strip() or not can_step(loaded.model, len(prompt) + limit):
        yield translate(loaded, [source], direction, decoding, template, seed=seed)[0]
        return
    steps = _steps(
        loaded, prompt, limit, decoding, _ends(loaded, template), _seed_for(source, seed)
    )
    shown = ""
    while True:
        # Inference mode belongs to a thread: it is entered for a step, never across a yield.
        with inference(loaded.model):
            try:
                draft = _hypothesis(loaded.tokenizer, next(steps)(), template)
            except StopIteration as end:
                (found,) = end.value
                break
            except Exception as error:  # noqa: BLE001 - memory that ran out becomes a sentence
                _explain(error)
        # A character may need several tokens: until it is whole it shows as a replacement mark.
        draft = replace(draft, text=draft.text.rstrip("\ufffd"), ended=False)
        if draft.text != shown:
            shown = draft.text
            yield draft
    yield _hypothesis(loaded.tokenizer, found, template)


def _steps(
    loaded: Loaded,
    prompt: list[int],
    limit: int,
    decoding: Decoding,
    ends: tuple[int, ...],
    seed: int,
) -> Steps:
    """One sentence's search, step by step; reads the prompt at the first."""
    rows = _rows(decoding)
    stepper = Stepper(loaded.model, [prompt], rows, _pad(loaded), loaded.device)
    if rows > 1:
        return (yield from beam_steps(stepper, rows, [limit], ends))
    generator = torch.Generator().manual_seed(seed)
    made: list[int] = []
    while True:
        logits = stepper.logits[:, 0]
        if decoding.strategy == "sample":
            token = int(draw_token(logits, [generator], decoding.temperature, decoding.top_p))
        else:
            token = int(logits.argmax())
        if token in ends:
            return [Found(tuple(made), True)]
        made.append(token)
        if len(made) >= limit:
            return [Found(tuple(made), False)]
        yield partial(Found, tuple(made), False)
        stepper.step(torch.tensor([[token]], device=loaded.device))


@dataclass(frozen=True)
class _Work:
    """One batch to be searched."""

    loaded: Loaded
    prompts: list[list[int]]
    heads: list[int]
    seeds: list[int]
    decoding: Decoding
    ends: tuple[int, ...]
    poll: Callable[[], None]
    engine: Engine | None = None

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
        part = slice(start, end)
        return replace(
            self, prompts=self.prompts[part], heads=self.heads[part], seeds=self.seeds[part]
        )

    def run(self) -> list[Found]:
        loaded, decoding = self.loaded, self.decoding
        limits = [_limit(loaded, decoding, len(prompt)) for prompt in self.prompts]
        if self.engine is not None:
            self.poll()  # it has no step at which it could be asked
            return self.engine.find(self.prompts, limits, self.ends)
        if not can_step(loaded.model, width_of(self.prompts, self.heads) + max(limits)):
            from mtlab.decoding.fallback import generate

            return generate(loaded, self.prompts, limits, self.seeds, decoding, self.ends)
        rows, ends = _rows(decoding), self.ends
        stepper = Stepper(loaded.model, self.prompts, rows, _pad(loaded), loaded.device, self.heads)
        if decoding.strategy == "sample":
            return sample_search(
                stepper, limits, ends, self.poll,
                seeds=self.seeds, temperature=decoding.temperature, top_p=decoding.top_p,
            )  # fmt: skip
        if rows == 1:
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


def _hypothesis(tokenizer: Any, found: Found, template: Template | Parcel) -> Hypothesis:
    text = tokenizer.decode(list(found.tokens), skip_special_tokens=True).strip()
    ended = found.ended
    if template.one_line and "\n" in text:  # in a token that holds more than the end of a line
        text, ended = text.partition("\n")[0].rstrip(), True
    return Hypothesis(text, ended, len(found.tokens))


def out_of_memory(error: Exception) -> bool:
    """Whether a failure means that memory ran out, on whichever device."""
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and ("allocate memory" in text or "out of memory" in text)
    )


def _explain(error: Exception) -> NoReturn:
    if out_of_memory(error):
        raise NotAvailable(
            "decoding ran out of memory, in half a batch too",
            fix="lower the token budget or the number of beams",
        ) from error
    raise error
