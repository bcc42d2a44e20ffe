from itertools import permutations

from mtlab.corpora.examples import example_pairs
from mtlab.languages import LANGUAGES
from mtlab.scoring.language_id import detect_language
from mtlab.spec import Direction


def test_every_direction_of_the_lab_has_examples_with_a_reference():
    for source, target in permutations(LANGUAGES, 2):
        pairs = example_pairs(Direction(source=source, target=target))
        assert len(pairs) == 4 and len({pair.source for pair in pairs}) == 4
        assert all(pair.source and pair.target and pair.source != pair.target for pair in pairs)


def test_they_are_in_the_language_they_stand_for():
    found = {}
    for code in LANGUAGES:
        other = "ha" if code != "ha" else "ja"
        text = " ".join(pair.source for pair in example_pairs(Direction(source=code, target=other)))
        found[code] = detect_language(text)
    # A few lines need not hold a letter that tells Slovak from Czech.
    assert found == {**{code: code for code in LANGUAGES}, "sk": None}


def test_there_are_more_of_them_and_they_begin_again():
    direction = Direction.parse("de-en")
    pages = [example_pairs(direction, page) for page in range(33)]
    sources = [pair.source for page in pages[:32] for pair in page]
    assert len(set(sources)) == len(sources) == 128
    assert pages[32] == pages[0]
    cs = Direction.parse("cs-en")
    assert example_pairs(cs, 5) == example_pairs(cs)
