"""Reading a folder of parallel text, and joining its languages through the one they share.

A corpus folder holds files named by two language codes (`eng-deu.tsv`, `en-de.tsv.gz`), one pair a
line, the two sides separated by a tab. A `held_out.json` (or `.json.gz`) beside them, a list of
`{language code: sentence}` groups, is kept out: a pair one side of which is a held-out sentence,
whatever its capitals and punctuation, is never read, and so nothing is reached through it either.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from mtlab.pretraining.pair_files import Group, held_out, pair_files

_TASK_WORDS = re.compile(r"translat|übersetz|tradui|traduc|þýð", re.IGNORECASE)
_LONGEST = 300  # characters of one sentence; a longer one would fill a whole training row


@dataclass(frozen=True)
class Groups:
    """Sentences that mean the same, as `{language code: sentence}`; each has two languages or more.

    Attributes:
        groups: every group, in the order of the files.
        characters: how much text of each language the groups hold.
        dropped: how many pairs were left out, by reason.
    """

    groups: tuple[Group, ...]
    characters: Mapping[str, int]
    dropped: Mapping[str, int]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the corpus, in the order of their codes."""
        return tuple(sorted(self.characters))


def read_corpus(folder: Path) -> Groups:
    """Every pair of a corpus folder, joined into groups through the language most files share.

    Two pairs are joined when they share that language's sentence exactly. Where it has several
    counterparts in a language, they are spread over several groups: none is lost, none stands
    twice. Pairs that touch a held-out sentence, pairs that speak of translating (the base model is
    to know the languages and not the task), empty and overlong ones are left out.

    Raises:
        InputError: no such folder, no pair file in it, or a line that is no pair.
    """
    files = pair_files(folder)
    unseen = {(code, _key(text)) for group in held_out(folder) for code, text in group.items()}
    sides = Counter(code for file in files for code in (file.left, file.right))
    shared = max(sorted(sides), key=lambda code: sides[code])
    dropped: Counter[str] = Counter()
    groups: list[Group] = []
    joined: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for file in files:
        other = file.right if file.left == shared else file.left
        for pair in file.pairs():
            if reason := _unusable(pair, unseen):
                dropped[reason] += 1
            elif shared in pair:
                joined[pair[shared]][other].append(pair[other])
            else:
                groups.append(pair)
    for text, others in joined.items():
        for turn in range(max(map(len, others.values()))):
            row = {code: texts[turn] for code, texts in others.items() if turn < len(texts)}
            groups.append({shared: text, **row})
    return Groups(tuple(groups), _characters(groups), dict(dropped))


def held_out_groups(folder: Path) -> Groups:
    """The held-out groups as a corpus of their own, to measure a loss on; perhaps empty."""
    groups = tuple(held_out(folder))
    return Groups(groups, _characters(groups), {})


def count_pairs(groups: Groups) -> dict[str, int]:
    """How many groups hold each pair of languages, as `{"de-en": 12}` with sorted codes."""
    return dict(
        Counter(
            f"{left}-{right}"
            for group in groups.groups
            for left, right in combinations(sorted(group), 2)
        )
    )


def _characters(groups: Iterable[Group]) -> dict[str, int]:
    characters: Counter[str] = Counter()
    for group in groups:
        for code, text in group.items():
            characters[code] += len(text)
    return dict(characters)


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


def _unusable(pair: Group, unseen: set[tuple[str, str]]) -> str | None:
    if not all(pair.values()):
        return "empty"
    if any(len(text) > _LONGEST for text in pair.values()):
        return "overlong"
    if any((code, _key(text)) in unseen for code, text in pair.items()):
        return "held out"
    if any(_TASK_WORDS.search(text) for text in pair.values()):
        return "speaks of translating"
    return None
