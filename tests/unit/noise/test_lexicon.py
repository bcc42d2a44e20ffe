"""Word alignment and the lexicon made of it."""

import pytest

from mtlab.corpora import open_corpus
from mtlab.corpora.multiway import MultiwayCorpus
from mtlab.errors import InputError
from mtlab.noise import lexicon as module
from mtlab.noise.alignment import word_links
from mtlab.noise.lexicon import lexicon
from mtlab.spec import Direction

DE_EN, EN_DE, EN_FR = map(Direction.parse, ("de-en", "en-de", "en-fr"))


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch):
    monkeypatch.setattr(module, "_loaded", {})


TOY = [
    ("das Haus", "the house"),
    ("das Buch", "the book"),
    ("ein Buch", "a book"),
    ("ein Haus", "a house"),
    ("das alte Haus", "the old house"),
    ("ein altes Buch", "an old book"),
]


def corpus_of(pairs, codes=("de", "en")):
    rows = {n: dict(zip(codes, pair, strict=True)) for n, pair in enumerate(pairs, 1)}
    return MultiwayCorpus("toy", "the toy corpus", "", rows, {})


def test_the_textbook_example_is_solved():
    links = word_links([(a.split(), b.split()) for a, b in TOY])
    best = {}
    for word, other, times in links:
        best[word] = max(best.get(word, (0, "")), (times, other))
    assert {word: other for word, (_, other) in best.items()} == {
        "das": "the",
        "Haus": "house",
        "Buch": "book",
        "ein": "a",
        "alte": "old",
        "altes": "old",
    }


def test_links_never_exceed_the_words_there_are():
    links = word_links([(a.split(), b.split()) for a, b in TOY])
    assert all(0 < times <= 3.001 for _, _, times in links)


def test_nothing_gives_nothing():
    assert word_links([]) == []


def test_both_ways_with_the_case_each_word_has(home):
    corpus = corpus_of([(f"Hier ist {a}.", f"Here is {b}.") for a, b in TOY])
    there, back = lexicon(corpus, DE_EN, home), lexicon(corpus, EN_DE, home)
    assert there.word_by_word("Das Buch ist alte.") == "the book is old."
    assert back.word_by_word("The old book, the house!") == "das alte Buch, das Haus!"


def test_a_word_it_does_not_know_is_copied(home):
    assert lexicon(corpus_of(TOY), DE_EN, home).word_by_word("Das Fahrrad, 3,50") == (
        "the Fahrrad, 3,50"
    )


def test_it_is_kept_in_the_cache_and_read_again(home, monkeypatch):
    corpus = corpus_of(TOY)
    first = lexicon(corpus, DE_EN, home)
    assert [path.name[:6] for path in (home.cache / "lexicons").iterdir()] == ["de-en-"]
    monkeypatch.setattr(module, "_loaded", {})
    monkeypatch.setattr(module, "_induced", lambda *_: pytest.fail("induced again"))
    assert lexicon(corpus, DE_EN, home) == first
    assert lexicon(corpus, EN_DE, home).entries["house"] == "Haus"


def test_another_corpus_has_another_lexicon(home):
    lexicon(corpus_of(TOY), DE_EN, home)
    lexicon(corpus_of(TOY[:3]), DE_EN, home)
    assert len(list((home.cache / "lexicons").iterdir())) == 2


def test_a_damaged_cache_file_is_made_anew(home, monkeypatch):
    corpus = corpus_of(TOY)
    first = lexicon(corpus, DE_EN, home)
    (path,) = (home.cache / "lexicons").iterdir()
    path.write_text("{", encoding="utf-8")
    monkeypatch.setattr(module, "_loaded", {})
    assert lexicon(corpus, DE_EN, home) == first


def test_a_direction_the_corpus_lacks(home):
    with pytest.raises(InputError, match="the toy corpus has no training pairs for en-fr"):
        lexicon(corpus_of(TOY), EN_FR, home)


def test_the_real_sentences_teach_real_words(home):
    corpus = open_corpus("everyday", home)
    words = lexicon(corpus, DE_EN, home).entries
    known = {"wir": "we", "und": "and", "er": "he", "hund": "dog", "ich": "I"}
    assert sum(words.get(word) == other for word, other in known.items()) >= 4
    assert len(words) > 1000


def test_chinese_and_japanese(home):
    pairs = [
        ("火车站在哪里？", "Where is the station?"),
        ("火车站很大。", "The station is big."),
        ("这是火车站。", "This is the station."),
        ("他去火车站。", "He goes to the station."),
        ("我爱火车站。", "I love the station."),
        ("他很大。", "He is big."),
    ]
    corpus = corpus_of(pairs, ("zh", "en"))
    there = lexicon(corpus, Direction.parse("zh-en"), home)
    assert there.entries["火车站"] == "station"
    assert there.word_by_word("火车站。") == "station."
    back = lexicon(corpus, Direction.parse("en-zh"), home)
    assert back.word_by_word("He is big.").endswith("。")
    japanese = corpus_of([("駅はどこですか。", "Where is the station?")] * 3, ("ja", "en"))
    assert lexicon(japanese, Direction.parse("ja-en"), home).entries["駅"] in {
        "where",
        "is",
        "the",
        "station",
    }
