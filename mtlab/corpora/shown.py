"""The pairs that few-shot prompting shows: for each tested direction the beginning of its draw."""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.corpora.pairs import Corpus, Pair
from mtlab.corpora.sampling import Draw, draw
from mtlab.errors import InputError
from mtlab.spec import Direction


def draw_shown(
    corpus: Corpus,
    tested: Sequence[Direction],
    size: int,
    seed: int,
    test_corpus: Corpus | None = None,
) -> Draw:
    """Draw `size` pairs of each tested direction: seeded, nested, without what is tested on.

    Args:
        corpus: where training pairs come from.
        tested: the directions that will be tested.
        size: examples a direction; 0 draws none.
        seed: another seed shows other pairs.
        test_corpus: where test pairs come from; the same corpus when not given.

    Raises:
        InputError: a direction that has no test pairs, or too few training pairs to show.
    """
    test_corpus = test_corpus or corpus
    for direction in tested:
        test_corpus.test(direction)
    pairs: list[Pair] = []
    found: list[Draw] = []
    for direction in tested if size else ():
        if direction not in corpus.train_directions():
            raise InputError(
                f"{corpus.title} has no training pairs to show for {direction}",
                field="test",
                fix="test other directions, or choose another corpus",
            )
        found.append(draw(corpus, [direction], size, seed, "balanced", test_corpus, tested))
        pairs += found[-1].pairs
    return Draw(
        tuple(pairs),
        {name: count for one in found for name, count in one.pool_sizes.items()},
        {name: count for one in found for name, count in one.removed.items()},
        order={direction: order for one in found for direction, order in one.order.items()},
    )
