"""Whether another decoder answers as well as the lab's own, tried on a few sentences.

Answers may differ by a word and be as good. So each is held against what decoding is after: how
likely the model itself finds it, by the mean log-probability of its tokens.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from mtlab.decoding.search import Found
from mtlab.errors import InputError
from mtlab.models import Loaded

SENTENCES = 8
"""How many are tried."""

MOST_WORSE = 0.5
"""The share of worse answers that is borne: of an untuned model, which rambles, int8 reached 0.4;
of a model that was converted wrongly nearly all are."""

WORSE = 0.1
"""An answer is worse where the model finds it less likely by more than this, in nats a token."""

_FILE = "parity.json"

Answering = Callable[[Sequence[Sequence[int]]], Sequence[Found]]


@dataclass(frozen=True)
class Parity:
    """How another decoder's answers compare.

    Attributes:
        sentences: tried.
        equal: answers that are the same, token for token.
        worse: answers that the model itself finds less likely.
    """

    sentences: int
    equal: int
    worse: int

    def sentence(self, name: str) -> str:
        """For people."""
        return (
            f"{name} was tried on {self.sentences} sentences: {self.equal} of its answers are "
            f"those of transformers, and the model itself finds {self.worse} worse"
        )


def hold_parity(
    loaded: Loaded,
    name: str,
    folder: Path,
    prompts: Sequence[Sequence[int]],
    own: Answering,
    other: Answering,
) -> Parity | None:
    """Try a converted model once, on the first prompts it is asked; None when it was tried before.

    Args:
        loaded: the model.
        name: of the decoder, for people.
        folder: of the converted model, where the outcome is kept.
        prompts: token ids.
        own: answers by the lab's own search.
        other: answers by the other decoder.

    Raises:
        InputError: too many answers are worse.
    """  # fmt: skip
    if not prompts or (folder / _FILE).exists():
        return None
    prompts = sorted(prompts, key=lambda prompt: (len(prompt), tuple(prompt)))
    tried = prompts[:: max(1, len(prompts) // SENTENCES)][:SENTENCES]  # of all lengths
    equal = worse = 0
    for prompt, one, two in zip(tried, own(tried), other(tried), strict=True):
        if one == two:
            equal += 1
        elif _likelihood(loaded, prompt, two) < _likelihood(loaded, prompt, one) - WORSE:
            worse += 1
    parity = Parity(len(tried), equal, worse)
    if worse > MOST_WORSE * len(tried):
        raise InputError(
            f"{name} answers worse than transformers with '{loaded.base.name}'",
            field="decoding.backend",
            why=parity.sentence(name),
            fix="leave the backend at auto",
        )
    part = folder / f".{os.getpid()}-{_FILE}"
    part.write_text(json.dumps(asdict(parity)), encoding="utf-8")
    part.replace(folder / _FILE)
    return parity


def _likelihood(loaded: Loaded, prompt: Sequence[int], found: Found) -> float:
    """The mean log-probability of an answer's tokens, its end mark among them."""
    tokens = list(found.tokens)
    ids = torch.tensor([[*prompt, *tokens]], device=loaded.device)
    logits: Any = loaded.model(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 :]
    log_probs = torch.log_softmax(logits.float(), dim=-1)
    likely = [float(log_probs[place, token]) for place, token in enumerate(tokens)]
    if found.ended:
        likely.append(float(log_probs[len(tokens), list(loaded.end_ids)].max()))
    return sum(likely) / max(1, len(likely))
