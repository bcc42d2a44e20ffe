"""What a corpus offers an experiment: sizes that double up to all, directions, languages.

For `wmt` they are the paper's (Zhu et al., EMNLP 2024); for `everyday` those that the bundled model
can show; any other corpus gives the directions it has.
"""

from __future__ import annotations

from mtlab.corpora import open_corpus
from mtlab.settings import Settings
from mtlab.spec import Direction

Size = int | str

TEN = (
    "cs-en", "de-en", "ja-en", "ru-en", "zh-en", "en-cs", "en-de", "en-ja", "en-ru", "en-zh",
)  # fmt: skip
"""The paper's ten training directions: 74,623 pairs."""

ELEVEN = (*TEN[:7], "en-hr", *TEN[7:])
"""What the paper tests: the ten, and Croatian, which nothing trains."""

SIX = ("de-en", "en-de", "en-fr", "fr-en", "de-fr", "fr-de")
FOUR = SIX[:4]
ICELANDIC = ("en-is", "is-en")

SMALLEST = 16


def sizes_up_to(pairs: int, extra: tuple[int, ...] = ()) -> tuple[Size, ...]:
    """16, 32, 64 ... below `pairs`, and `all`; the extra sizes in their places."""
    doubled = []
    size = SMALLEST
    while size < pairs:
        doubled.append(size)
        size *= 2
    return (*sorted({*doubled, *(one for one in extra if one < pairs)}), "all")


def pairs_of(corpus: str, directions: tuple[str, ...], settings: Settings) -> int:
    """How many training pairs a corpus has for some directions.

    Raises:
        InputError: no such corpus, or a direction it lacks.
        NotAvailable: it lies where this machine cannot reach.
    """
    opened = open_corpus(corpus, settings)
    return sum(len(opened.pool(Direction.parse(direction))) for direction in directions)


def train_directions(corpus: str, settings: Settings) -> tuple[str, ...]:
    """The directions that "all directions" means: the paper's ten, the six of everyday, or every
    one that the corpus has.
    """
    if corpus == "wmt":
        return TEN
    if corpus == "everyday":
        return SIX
    return tuple(map(str, open_corpus(corpus, settings).train_directions()))


def test_directions(corpus: str, settings: Settings) -> tuple[str, ...]:
    """The directions that "every direction" means; Icelandic is tested though not trained."""
    if corpus == "wmt":
        return ELEVEN
    if corpus == "everyday":
        return (*SIX, *ICELANDIC)
    return tuple(map(str, open_corpus(corpus, settings).test_directions()))
