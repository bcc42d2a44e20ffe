"""The WMT news test sets, through sacrebleu's own loader and cache.

Training pairs are those of WMT17 to WMT20, as in the paper (its ten directions hold 74,623 pairs);
test pairs are those of WMT22, and of WMT21 for Icelandic and Hausa. sacrebleu downloads a set when
it is first asked for, into the folder that the environment variable `SACREBLEU` names (default
`~/.sacrebleu`), which it reads when it is imported. The organisers give the text for research.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from mtlab.corpora.kept import KeptCorpus
from mtlab.corpora.pairs import Pair, Split
from mtlab.errors import NotAvailable
from mtlab.spec import Direction

_YEARS = ("wmt17", "wmt18", "wmt19", "wmt20")

TRAIN_SETS: dict[str, tuple[str, ...]] = {
    "cs-en": ("wmt17", "wmt18", "wmt20"),
    "en-cs": _YEARS,
    "de-en": _YEARS,
    "en-de": _YEARS,
    "ja-en": ("wmt20",),
    "en-ja": ("wmt20",),
    "ru-en": _YEARS,
    "en-ru": _YEARS,
    "zh-en": _YEARS,
    "en-zh": _YEARS,
    "de-fr": ("wmt19", "wmt20"),
    "fr-de": ("wmt19", "wmt20"),
}
"""The sets that make the training pool of each direction."""

TEST_SETS: dict[str, str] = {
    **dict.fromkeys(
        (
            *("cs-en", "de-en", "ja-en", "ru-en", "uk-en", "zh-en"),
            *("en-cs", "en-de", "en-hr", "en-ja", "en-ru", "en-uk", "en-zh"),
            *("de-fr", "fr-de"),
        ),
        "wmt22",
    ),
    **dict.fromkeys(("is-en", "en-is", "ha-en", "en-ha"), "wmt21"),
}
"""The set that each direction is tested on."""

_TRAIN = {Direction.parse(text): sets for text, sets in TRAIN_SETS.items()}
_TEST = {Direction.parse(text): (name,) for text, name in TEST_SETS.items()}


class WmtCorpus(KeptCorpus):
    """The WMT test sets as a corpus; a direction is read when it is first asked for."""

    name = "wmt"
    title = "the WMT corpus"
    licence = "for research, as the WMT organisers give it; not openly licensed"

    def __init__(self) -> None:
        super().__init__({"train": tuple(_TRAIN), "test": tuple(_TEST)})

    def _make(self, direction: Direction, split: Split) -> Iterator[Pair]:
        sets = _TRAIN if split == "train" else _TEST
        for name in sets[direction]:
            yield from _read(name, direction)


def _read(test_set: str, direction: Direction) -> list[Pair]:
    """The pairs of one set, with the first reference that sacrebleu itself scores against."""
    from sacrebleu.utils import SACREBLEU_DIR, get_reference_files, get_source_file

    # sacrebleu raises bare Exceptions and, when a checksum is wrong, exits the process.
    try:
        sources = _lines(get_source_file(test_set, str(direction)))
        targets = _lines(get_reference_files(test_set, str(direction))[0])
    except (Exception, SystemExit) as error:
        raise NotAvailable(
            f"{test_set} {direction} is not in {SACREBLEU_DIR} and could not be downloaded",
            why=str(error) or type(error).__name__,
            fix="connect to the internet once, or set SACREBLEU to a writable folder that holds it",
        ) from error
    if len(sources) != len(targets):
        raise NotAvailable(
            f"{test_set} {direction} is damaged: {len(sources)} lines, {len(targets)} references",
            fix=f"delete {os.path.join(SACREBLEU_DIR, test_set)} so that it is downloaded again",
        )
    return [
        Pair(direction=direction, source=source, target=target, key=f"{test_set}:{direction}:{n}")
        for n, (source, target) in enumerate(zip(sources, targets, strict=True), start=1)
    ]


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8", newline="\n") as file:
        return [line.strip() for line in file]
