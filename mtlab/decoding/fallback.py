"""Decoding by transformers' own `generate`, for models whose cache the lab's search cannot hold.

These are hybrids with recurrent layers. It is slower, and right.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mtlab.decoding.search import Found
from mtlab.models import Loaded
from mtlab.spec import Decoding


def generate(
    loaded: Loaded,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    seeds: Sequence[int],
    decoding: Decoding,
    ends: Sequence[int],
) -> list[Found]:
    """Answers for a batch of prompts; sampling goes sentence by sentence, each with its seed.

    Args:
        loaded: the model.
        prompts: token ids, one list per sentence.
        limits: the most tokens each may get.
        seeds: of sampling, one per sentence.
        decoding: how.
        ends: the tokens that end an answer.
    """
    if decoding.strategy == "sample" and len(prompts) > 1:
        return [
            generate(loaded, [prompt], [limit], [seed], decoding, ends)[0]
            for prompt, limit, seed in zip(prompts, limits, seeds, strict=True)
        ]
    width = max(len(prompt) for prompt in prompts)
    pad = loaded.tokenizer.pad_token_id or 0
    ids = torch.tensor([[pad] * (width - len(p)) + list(p) for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    options: dict[str, object] = {}
    if decoding.strategy == "sample":
        torch.manual_seed(seeds[0])
        options = {"temperature": decoding.temperature, "top_p": decoding.top_p, "top_k": 0}
    output = loaded.model.generate(
        input_ids=ids.to(loaded.device),
        attention_mask=mask.to(loaded.device),
        max_new_tokens=max(limits),
        num_beams=decoding.beams if decoding.strategy == "beam" else 1,
        do_sample=decoding.strategy == "sample",
        pad_token_id=pad,
        eos_token_id=list(ends),
        **options,
    )
    return [
        _found(row[width:].tolist(), limit, ends) for row, limit in zip(output, limits, strict=True)
    ]


def _found(tokens: list[int], limit: int, end_ids: Sequence[int]) -> Found:
    for index, token in enumerate(tokens[:limit]):
        if token in end_ids:
            return Found(tuple(tokens[:index]), True)
    return Found(tuple(tokens[:limit]), False)
