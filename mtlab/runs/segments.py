"""The lines of `translations/<direction>.jsonl`, before they are scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mtlab.corpora import Pair

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis


def segment_rows(
    pairs: Sequence[Pair], answers: Sequence[Hypothesis], untuned: Sequence[Hypothesis] | None
) -> list[dict[str, Any]]:
    """A row per segment; what scoring finds is None.

    Args:
        pairs: the test pairs.
        answers: the run's own translations, in the same order.
        untuned: the untuned base's; None where it is not scored.
    """
    rows = []
    for index, (pair, answer) in enumerate(zip(pairs, answers, strict=True)):
        other = untuned[index] if untuned else None
        rows.append(
            {
                "index": index,
                "key": pair.key,
                "source": pair.source,
                "reference": pair.target,
                "hypothesis": answer.text,
                "base": other.text if other else None,
                "failures": None,
                "language": None,
                "base_failures": None,
                "base_language": None,
                "ended": answer.ended,
                "base_ended": other.ended if other else None,
                "tokens": answer.tokens,
            }
        )
    return rows
