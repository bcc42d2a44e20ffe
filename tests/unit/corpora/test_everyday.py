"""The bundled sentences: aligned, unique, and none of the test set in the training pool."""

import gzip
from itertools import combinations, permutations

import pytest

from mtlab.corpora import normalised, open_corpus
from mtlab.corpora.everyday import FOLDER, open_everyday
from mtlab.errors import NotAvailable

CODES = ("en", "de", "fr", "is")


def rows(name):
    header, *lines = (FOLDER / name).read_text(encoding="utf-8").rstrip("\n").split("\n")
    assert tuple(header.split("\t")) == CODES
    return [tuple(line.split("\t")) for line in lines]


TRAIN, TEST = rows("train.tsv"), rows("test.tsv")
ALL = TRAIN + TEST


def test_there_are_enough():
    assert len(TEST) == 128
    assert len(TRAIN) >= 512


def test_rows_are_aligned_and_sentences_short():
    for row in ALL:
        assert len(row) == len(CODES), row
        for cell in row:
            words = [word for word in cell.split() if any(map(str.isalnum, word))]
            assert 4 <= len(words) <= 14, cell
            assert cell == " ".join(cell.split()), cell
            assert cell[-1] in ".?!", cell


@pytest.mark.parametrize("column", range(4), ids=CODES)
def test_no_sentence_stands_twice_nor_nearly(column):
    words = [(row[column], set(normalised(row[column]).split())) for row in ALL]
    texts = [normalised(text) for text, _ in words]
    assert len(set(texts)) == len(texts)
    near = [(a, b) for (a, x), (b, y) in combinations(words, 2) if len(x & y) > 0.45 * len(x | y)]
    assert not near


def test_no_test_sentence_is_in_the_training_pool():
    trained = {normalised(cell) for row in TRAIN for cell in row}
    assert not [cell for row in TEST for cell in row if normalised(cell) in trained]


def test_no_sentence_is_one_the_base_model_has_read(shared):
    ours = {normalised(cell) for row in ALL for cell in row}
    files = sorted((shared / "tatoeba").glob("*.tsv.gz"))
    assert len(files) == 3
    for path in files:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            read = {cell for line in lines for cell in line.rstrip("\n").split("\t")[:2]}
        assert not ours & {normalised(text) for text in read}


def test_icelandic_and_german_are_not_copies_of_english():
    for row in ALL:
        assert len({normalised(cell) for cell in row}) == 4, row


def test_the_card_says_how_large_it_is():
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"Everyday: {len(ALL)} sentences" in card
    assert f"| {len(TRAIN)} |" in card and f"| {len(TEST)} |" in card
    assert "CC0 1.0" in card


def test_it_opens_in_all_twelve_directions(home):
    corpus = open_corpus("everyday", home)
    every = {f"{a}-{b}" for a, b in permutations(CODES, 2)}
    assert {str(d) for d in corpus.train_directions()} == every
    assert corpus.test_directions() == corpus.train_directions()
    for direction in corpus.train_directions():
        assert len(corpus.pool(direction)) == len(TRAIN)
        assert len(corpus.test(direction)) == len(TEST)
        keys = [pair.key for pair in corpus.pool(direction) + corpus.test(direction)]
        assert len(set(keys)) == len(keys)
    first = corpus.train_directions()[0]
    assert corpus.pool(first)[0].key == f"everyday:{first}:1"


def test_missing_files_are_said_plainly(tmp_path):
    with pytest.raises(NotAvailable, match="not here .*train.tsv.*install mtlab"):
        open_everyday(tmp_path)
