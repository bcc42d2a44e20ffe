"""How a step's examples go through the model: padded in one piece or several, or end to end.

A step's examples are drawn at random, whatever their lengths: what stands together in a step should
not depend on length, or the short texts pull the model one way and the long ones another. So there
is much to pad. What can be done about it without changing what is learnt:

split       on a CPU, a batch goes through in parts of like length, whose losses and gradients add
            up to those of the batch; a part more costs little there
flattened   on a GPU with `attention` that knows where texts begin, end to end in rows, each kept
            from seeing the others: nothing is padded. A row holds as many tokens as a pass may
            (`mtlab.models.passes`), whatever number of examples that is
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import torch

from mtlab.batch_parts import parts_of, parts_within
from mtlab.prompts import IGNORED, Example
from mtlab.training.attention import APART


def split(batch: dict[str, Any]) -> list[dict[str, Any]]:
    """A padded batch of `order.Collator` in parts of like length, each padded for itself."""
    lengths = batch["attention_mask"].sum(dim=1).tolist()
    parts = parts_of(lengths)
    return [batch] if len(parts) == 1 else [_rows(batch, part, lengths[part[0]]) for part in parts]


def _rows(batch: dict[str, Any], rows: list[int], width: int) -> dict[str, Any]:
    part = dict(batch)
    for name in ("input_ids", "attention_mask", "position_ids"):
        if name in batch:
            part[name] = batch[name][rows, -width:]
    labels = batch["labels"][rows]
    if "logits_to_keep" in batch:
        width = min(width, 1 + int((labels != IGNORED).any(dim=0).sum()))
        part["logits_to_keep"] = width
    part["labels"] = labels[:, -width:]
    return part


class Flattener:
    """Examples into rows, end to end: what `order.Collator` is where nothing shall be padded.

    They stay apart by their bounds, and by `position_ids` that begin anew, which needs a batch
    without a mask and a model without a cache: with one, transformers takes the row for one text.

    Args:
        most: tokens of a row; an example that has more gets a row of its own.
    """

    def __init__(self, most: int) -> None:
        self._most = most

    def __call__(self, rows: Sequence[Example]) -> dict[str, Any]:
        """The passes, as `parts`, and all `labels`, of which the loss's tokens are counted."""
        parts = parts_within([len(row.input_ids) for row in rows], self._most)
        labels = torch.cat([_apart(row) for row in rows])[None]
        return {"labels": labels, "parts": [_end_to_end([rows[one] for one in p]) for p in parts]}


def _end_to_end(rows: Sequence[Example]) -> dict[str, Any]:
    """One row, and where each example in it begins and ends."""
    ids = torch.cat([torch.tensor(row.input_ids) for row in rows])
    lengths = torch.tensor([len(row.input_ids) for row in rows])
    labels = torch.cat([_apart(row) for row in rows])
    # Logits are made where the next token counts, and at that token for its label's sake.
    counts = labels != IGNORED
    kept = (counts | counts.roll(-1)).nonzero().flatten()
    bounds = torch.cat([torch.zeros(1, dtype=torch.long), lengths.cumsum(0)]).to(torch.int32)
    longest = int(lengths.max())
    return {
        "input_ids": ids[None],
        "position_ids": torch.cat([torch.arange(int(length)) for length in lengths])[None],
        "labels": labels[kept][None],
        "logits_to_keep": kept,
        "use_cache": False,
        "cu_seq_lens_q": bounds,
        "cu_seq_lens_k": bounds,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def _apart(row: Example) -> torch.Tensor:
    """Its labels; no example is asked for its first token, which would be another's next."""
    labels = torch.tensor(row.labels)
    labels[0] = IGNORED
    return labels


def can_flatten(model: Any, takes: Container[str]) -> bool:
    """Whether a model keeps examples of one row apart, and does so fast.

    Args:
        model: attending as it would in steps.
        takes: the names of the arguments that its `forward` takes.
    """
    named = all(name in takes for name in ("position_ids", "logits_to_keep", "use_cache", "kwargs"))
    return named and model.config._attn_implementation in APART
