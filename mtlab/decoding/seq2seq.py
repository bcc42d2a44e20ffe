"""Sentences into hypotheses with a translation model: NLLB, M2M-100 or OPUS-MT (Marian).

Each family is told the languages in its own way: NLLB by codes such as `deu_Latn`, M2M-100 by `de`,
OPUS-MT by being made for one direction, or by a mark such as `>>deu<<` before the source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from mtlab.backends import refuse_backend
from mtlab.decoding.batches import plan
from mtlab.decoding.hypothesis import NOTHING, UNFIT, Hypothesis
from mtlab.decoding.keeping import Kept, Nowhere, batch_by_batch
from mtlab.decoding.translator import DecodingStopped, out_of_memory
from mtlab.defaults import budget_of
from mtlab.errors import InputError, NotAvailable
from mtlab.languages import language
from mtlab.models import LoadedTranslationModel, quiet
from mtlab.models.seq2seq import refuse_direction
from mtlab.spec import Decoding, Direction


@dataclass(frozen=True)
class _Marks:
    """How a model is told the languages.

    Attributes:
        source: what its tokenizer calls the source language; None where it needs none.
        first: the token the hypothesis begins with; None where that is the model's own.
        prefix: what is written before the source.
    """

    source: str | None = None
    first: int | None = None
    prefix: str = ""


def translate_seq2seq(
    loaded: LoadedTranslationModel,
    sources: Sequence[str],
    direction: Direction,
    decoding: Decoding | None = None,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    kept: Kept | None = None,
) -> list[Hypothesis]:
    """Translate sentences; the answers come in the order of the input.

    With `kept`, decoding that was cut off goes on as that of `mtlab.decoding.translate` does.

    Args:
        loaded: the model.
        sources: one sentence each; equal ones are translated once.
        direction: from which language into which.
        decoding: beams and the most new tokens; beam search with 4 when not given. Sampling is
            not offered, a translation model is decoded greedily then.
        on_progress: called with how many are done and how many there are.
        should_stop: asked between batches.
        kept: where answers are kept as batches end, and found by the next attempt.

    Raises:
        InputError: the model does not know the direction, or another backend is asked for.
        DecodingStopped: `should_stop` said yes.
        NotAvailable: not even one sentence fits into memory.
        OSError: answers cannot be kept.
    """
    decoding = decoding or Decoding()
    refuse_backend(decoding)
    marks = _marks(loaded, direction)
    if marks.source is not None:
        loaded.tokenizer.src_lang = marks.source
    first: dict[str, int] = {}
    for place, source in enumerate(sources):
        if source.strip():
            first.setdefault(source, place)
    ids = {place: _ids(loaded.tokenizer, marks.prefix + source) for source, place in first.items()}
    context = _context(loaded)
    prompts = {
        place: prompt for place, prompt in ids.items() if context is None or len(prompt) <= context
    }
    answers = dict.fromkeys(first, UNFIT)
    beams = decoding.beams if decoding.strategy == "beam" else 1
    limit = decoding.token_limit

    def make(batch: Sequence[int]) -> list[Hypothesis]:
        if should_stop is not None and should_stop():
            raise DecodingStopped("decoding was stopped", fix="resume the run to go on")
        return _generate(loaded, [prompts[place] for place in batch], marks, beams, limit)

    asked = list(prompts)
    budget = budget_of(decoding, loaded.device.startswith("cuda"))
    planned = plan(list(prompts.values()), beams, budget)
    batches = [[asked[number] for number in batch] for batch in planned]
    done = len(first) - len(prompts)
    for found in batch_by_batch(batches, kept or Nowhere(), make):
        answers.update((sources[place], answer) for place, answer in found.items())
        done += len(found)
        if on_progress is not None:
            on_progress(done, len(first))
    return [answers[source] if source.strip() else NOTHING for source in sources]


def _marks(loaded: LoadedTranslationModel, direction: Direction) -> _Marks:
    tokenizer = loaded.tokenizer
    if loaded.model_type == "marian":
        codes = (
            getattr(tokenizer, "source_lang", None),
            getattr(tokenizer, "target_lang", None),
        )
        targets = list(getattr(tokenizer, "supported_language_codes", None) or ())
        if not targets:
            refuse_direction(loaded.base, codes, direction)
            return _Marks()
        refuse_direction(loaded.base, (codes[0], None), direction)
        wanted = language(direction.target)
        for mark in (f">>{wanted.alpha3}<<", f">>{wanted.code}<<"):
            if mark in targets:
                return _Marks(prefix=f"{mark} ")
        raise _unknown(loaded, direction.target)
    nllb = [_nllb_code(code) for code in (direction.source, direction.target)]
    m2m = [f"__{code}__" for code in (direction.source, direction.target)]
    for called, tokens in ((nllb, nllb), ((direction.source, direction.target), m2m)):
        numbers = [_number_of(tokenizer, token) for token in tokens]
        if None not in numbers:
            return _Marks(source=called[0], first=numbers[1])
        if numbers != [None, None]:
            raise _unknown(loaded, direction.source if numbers[0] is None else direction.target)
    raise _unknown(loaded, direction.source)


def _nllb_code(code: str) -> str:
    return f"{language(code).alpha3}_{language(code).script}"


def _number_of(tokenizer: Any, token: str) -> int | None:
    """The number of a language's token; None where the tokenizer has none."""
    number = tokenizer.convert_tokens_to_ids(token)
    return None if number is None or number == tokenizer.unk_token_id else int(number)


def _unknown(loaded: LoadedTranslationModel, code: str) -> InputError:
    return InputError(
        f"'{loaded.base.name}' does not know {language(code).name}",
        field="translator",
        fix="name a model that does, such as facebook/nllb-200-distilled-600M",
    )


def _ids(tokenizer: Any, text: str) -> list[int]:
    with quiet():
        return list(tokenizer(text)["input_ids"])


def _context(loaded: LoadedTranslationModel) -> int | None:
    found = getattr(loaded.model.config, "max_position_embeddings", None)
    return int(found) if found else None


def _generate(
    loaded: LoadedTranslationModel, prompts: list[list[int]], marks: _Marks, beams: int, limit: int
) -> list[Hypothesis]:
    """One batch; where memory runs out, in halves."""
    try:
        return _generated(loaded, prompts, marks, beams, limit)
    except Exception as error:
        if not out_of_memory(error):
            raise
        if len(prompts) == 1:
            raise NotAvailable(
                f"'{loaded.base.name}' ran out of memory on a single sentence",
                fix="choose a smaller translation model",
            ) from None
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    middle = (len(prompts) + 1) // 2
    return _generate(loaded, prompts[:middle], marks, beams, limit) + _generate(
        loaded, prompts[middle:], marks, beams, limit
    )


def _generated(
    loaded: LoadedTranslationModel, prompts: list[list[int]], marks: _Marks, beams: int, limit: int
) -> list[Hypothesis]:
    tokenizer = loaded.tokenizer
    longest = max(map(len, prompts))
    pad = tokenizer.pad_token_id
    ids = torch.tensor([prompt + [pad] * (longest - len(prompt)) for prompt in prompts])
    mask = torch.tensor([[1] * len(p) + [0] * (longest - len(p)) for p in prompts])
    context = _context(loaded)
    most = limit if context is None else min(limit, context - 2)
    first = {} if marks.first is None else {"forced_bos_token_id": marks.first}
    with torch.inference_mode(), quiet():
        found = loaded.model.generate(
            input_ids=ids.to(loaded.device),
            attention_mask=mask.to(loaded.device),
            num_beams=beams,
            do_sample=False,
            max_new_tokens=most,
            max_length=None,
            **first,
        )
    end = loaded.model.generation_config.eos_token_id
    ends = set(end if isinstance(end, list) else [end])
    answers = []
    for row in found.tolist():
        text = tokenizer.decode(row, skip_special_tokens=True)
        made = [token for token in row[1:] if token != pad]
        answers.append(Hypothesis(text.strip(), bool(ends & set(made)), len(made)))
    return answers
