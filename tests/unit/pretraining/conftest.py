"""A small made-up corpus: four languages of counted words, joined through English."""

import gzip
import json
from pathlib import Path

import pytest

WORDS = {
    "en": "one two three four five six seven eight nine ten".split(),
    "de": "eins zwei drei vier fünf sechs sieben acht neun zehn".split(),
    "fr": "un deux trois quatre cinq six sept huit neuf dix".split(),
    "is": "einn tveir þrír fjórir fimm sex sjö átta níu tíu".split(),
}


def sentence(code: str, number: int) -> str:
    """The number's digits in words: different for every number, the same in every language."""
    return " ".join(WORDS[code][int(digit)] for digit in str(number)).capitalize() + "."


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """eng-deu and eng-fra of 300 pairs, eng-isl of 40, and ten groups held out of them."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, code, count in (("eng-deu", "de", 300), ("eng-fra", "fr", 300), ("en-is", "is", 40)):
        lines = [f"{sentence('en', n)}\t{sentence(code, n)}\n" for n in range(count)]
        with gzip.open(folder / f"{name}.tsv.gz", "wt", encoding="utf-8") as file:
            file.writelines(lines)
    kept_out = [{code: sentence(code, n) for code in ("en", "de", "fr")} for n in range(20, 30)]
    (folder / "held_out.json").write_text(json.dumps(kept_out), encoding="utf-8")
    return folder
