"""What each kind of noise does that no other does, and what it refuses."""

import pytest

from mtlab.corpora import open_corpus
from mtlab.corpora.multiway import MultiwayCorpus
from mtlab.corpora.pairs import Pair
from mtlab.errors import InputError
from mtlab.noise import check, corrupt
from mtlab.spec import Direction, Noise
from tests.fake_translator import Backwards

DE_EN, EN_DE, DE_FR = map(Direction.parse, ("de-en", "en-de", "de-fr"))


def pair(source, target, direction=DE_EN, key="given:1"):
    return Pair(direction=direction, source=source, target=target, key=key)


def one(kind, text, home, *, direction=DE_EN, seed=0, corpus=None, **options):
    """The target of one pair, corrupted."""
    corpus = corpus or open_corpus("everyday", home)
    given = pair("Wie geht es dir heute?", text, direction)
    (result,) = corrupt([given], Noise(kind=kind, **options), seed, corpus, home)
    return result.noisy.target


def many(kind, text, home, direction=DE_EN, **options):
    """What twelve seeds make of a text."""
    return {one(kind, text, home, direction=direction, seed=seed, **options) for seed in range(12)}


# grammar


def test_grammar_confuses_the_forms_of_a_language_and_keeps_its_words(home):
    made = many("grammar", "She is always waiting for the children in the garden.", home)
    words = {word.strip(".").lower() for text in made for word in text.split()}
    assert words & {"are", "am", "her", "child", "to", "on", "at", "wait", "waited", "waity"}
    german = many("grammar", "Der Hund ist im Garten mit den Kindern.", home, EN_DE)
    words = {word.strip(".") for text in german for word in text.split()}
    assert words & {"bist", "sind"} and words & {"von", "in", "Garte"}
    assert "Der Hund ist im Garten mit den Kindern." not in german
    for text in made | german:
        assert text[0].isupper() and text.endswith(".") and "  " not in text


def test_japanese_particles_are_confused(home):
    to_japanese = Direction.parse("en-ja")
    made = many("grammar", "私は本を読みます。", home, to_japanese)
    assert any("私が" in text or "私を" in text or "私に" in text for text in made)


# semantic


@pytest.mark.parametrize(
    ("direction", "text", "expected"),
    [
        ("de-en", "He doesn't know.", "He does know."),
        ("de-en", "It is never late.", "It is always late."),
        ("en-de", "Das ist kein Haus.", "Das ist ein Haus."),
        ("en-de", "Ich weiß es nicht.", "Ich weiß es."),
        ("en-fr", "Je ne sais pas.", "Je sais."),
        ("en-fr", "Il n'est pas là.", "Il est là."),
        ("en-fr", "Elle est là.", "Elle n'est pas là."),
        ("en-is", "Ég veit það ekki.", "Ég veit það."),
        ("en-ru", "Я не знаю.", "Я знаю."),
        ("en-zh", "我不去。", "我去。"),
    ],
)
def test_a_negation_is_taken_out_or_put_in(direction, text, expected, home):
    assert expected in many("semantic", text, home, Direction.parse(direction))


def test_numbers_keep_their_digits_and_change_their_value(home):
    made = many("semantic", "600", home)
    assert all(text.isdigit() and len(text) == 3 and text[0] not in "60" for text in made)


def test_names_days_and_relations_are_exchanged_within_their_class(home):
    made = many("semantic", "Anna", home) | many("semantic", "Montag", home, EN_DE)
    assert made & {"Lena", "Emma", "Clara", "Eva"}
    assert made & {"Dienstag", "Freitag", "Sonntag"}


# jargon


def test_terms_come_from_the_language_or_from_the_file(home, tmp_path):
    assert "Thrombose" in " ".join(many("jargon", "Das Frühstück schmeckt.", home, EN_DE))
    terms = tmp_path / "terms.txt"
    terms.write_text("widget\nde\tSchraube\n\n", encoding="utf-8")
    made = one("jargon", "The breakfast tastes wonderful.", home, terms=str(terms))
    assert "widget" in made.lower() and "Schraube" not in made


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "cannot be read"),
        (b"", "no terms in English: write a term a line"),
        (b"de\tSchraube\n", "no terms in English"),
        (b"a\tb\tc\n", "line 1 of 'terms.txt' is no term"),
        (b"good\nxx\tterm\n", "line 2 of 'terms.txt' is no term"),
        (b"Sch\xf6n\n", "not UTF-8"),
    ],
)
def test_a_bad_list_of_terms(data, says, home, tmp_path):
    terms = tmp_path / "terms.txt"
    if data is not None:
        terms.write_bytes(data)
    with pytest.raises(InputError, match=says) as caught:
        check([DE_EN], Noise(kind="jargon", terms=str(terms)), 0, None, home)
    assert caught.value.field == "noise.terms"
    with pytest.raises(InputError, match=says):
        one("jargon", "Fine weather today.", home, terms=str(terms))


# typo


def test_typos_keep_numbers_marks_and_most_letters(home):
    clean = "On 3 May the children, all 12 of them, went swimming."
    for text in many("typo", clean, home):
        assert "3" in text and "12" in text and text.count(",") == 2 and text[-1] == "."
        assert 0 < sum(a != b for a, b in zip(clean.split(), text.split(), strict=False)) <= 6
    german = "".join(many("typo", "zzzzzzzz", home, EN_DE))
    assert set(german) <= set("ztuhgj" + "z") and "y" not in german


# misaligned


def small_corpus(count):
    rows = {n: {"de": f"Satz {'abcdef'[n]}.", "en": f"Line {'abcdef'[n]}."} for n in range(count)}
    return MultiwayCorpus("toy", "the toy corpus", "", rows, {})


def test_misaligned_takes_each_neighbours_text_once(home):
    toy = small_corpus(5)
    order = {DE_EN: toy.pool(DE_EN)}
    result = corrupt(order[DE_EN], Noise(kind="misaligned", side="both"), 0, toy, home, order=order)
    assert [p.noisy.target[5] for p in result] == list("bcdea")
    assert [p.noisy.source[5] for p in result] == list("eabcd")


def test_pairs_that_were_turned_round_keep_their_neighbours(home):
    toy = small_corpus(5)
    order = {DE_EN: toy.pool(DE_EN)}
    turned = [Pair(EN_DE, p.target, p.source, p.key) for p in order[DE_EN]]
    for kind in ("misaligned", "semantic", "jargon", "word"):
        result = corrupt(turned, Noise(kind=kind), 0, toy, home, order=order)
        assert len(result) == 5
        if kind == "misaligned":
            assert [p.noisy.target for p in result] == [f"Satz {x}." for x in "bcdea"]


def test_misaligned_passes_over_the_same_text(home):
    given = [pair("a", "Yes.", key="1"), pair("b", "Yes!", key="2"), pair("c", "No.", key="3")]
    result = corrupt(given, Noise(kind="misaligned"), 0, small_corpus(2), home)
    assert [p.noisy.target for p in result] == ["No.", "No.", "Yes."]


@pytest.mark.parametrize(("count", "side"), [(1, "target"), (2, "both")])
def test_misaligned_needs_another_pair(count, side, home):
    toy = small_corpus(count)
    order = {DE_EN: toy.pool(DE_EN)}
    noise = Noise(kind="misaligned", side=side)
    for call in (
        lambda: check([DE_EN], noise, 0, toy, home, order=order),
        lambda: corrupt(order[DE_EN], noise, 0, toy, home, order=order),
    ):
        with pytest.raises(InputError, match=f"de-en has {count}: give {count + 1} pairs"):
            call()


# wrong-language


def test_untranslated_or_a_third_language(home):
    corpus = open_corpus("everyday", home)
    french = {p.source: p.target for p in corpus.pool(DE_FR)}
    given = corpus.pool(DE_EN)[:6]
    for side in ("source", "target"):
        plain = corrupt(given, Noise(kind="wrong-language", side=side), 0, corpus, home)
        third = Noise(kind="wrong-language", side=side, language="fr")
        other = "target" if side == "source" else "source"
        for p, q in zip(plain, corrupt(given, third, 0, corpus, home), strict=True):
            assert getattr(p.noisy, side) == getattr(p.clean, other)
            assert getattr(q.noisy, side) == french[q.clean.source]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("es", "does not have the sentences of de-en in Spanish"),
        ("en", "English is one of the two languages of de-en"),
    ],
)
def test_a_third_language_that_cannot_be(code, says, home):
    corpus = open_corpus("everyday", home)
    noise = Noise(kind="wrong-language", language=code)
    with pytest.raises(InputError, match=says) as caught:
        check([DE_EN], noise, 0, corpus, home)
    assert caught.value.field == "noise.language"
    with pytest.raises(InputError, match=says):
        corrupt(corpus.pool(DE_EN)[:2], noise, 0, corpus, home)


def test_sentences_the_corpus_does_not_have_in_the_third_language(home):
    corpus = open_corpus("everyday", home)
    noise = Noise(kind="wrong-language", language="fr")
    with pytest.raises(InputError, match="does not have any of these sentences in French"):
        corrupt([pair("Nirgendwo.", "Nowhere at all.")], noise, 0, corpus, home)
    known = corpus.pool(DE_EN)[0]
    mixed = corrupt([pair("Nirgendwo.", "Nowhere."), known], noise, 0, corpus, home)
    assert mixed[0].noisy.target == "Nirgendwo."


def test_a_language_nobody_knows():
    with pytest.raises(InputError, match="language: 'xx' is not a language this lab knows"):
        Noise(kind="wrong-language", language="xx")


# truncated


def test_truncated_keeps_the_beginning(home):
    clean = "One two three four five six seven eight."
    for text in many("truncated", clean, home):
        assert clean.startswith(text) and 2 <= len(text.split()) <= 6
    assert one("truncated", "Hello.", home) in {"He", "Hel", "Hell"}


# sentence


def test_sentence_noise_is_translated_in_batches_by_direction_once(home):
    corpus = open_corpus("everyday", home)
    given = [*corpus.pool(DE_EN)[:3], *corpus.pool(EN_DE)[3:6]]
    translator = Backwards()
    noise = Noise(kind="sentence", side="both")
    seen = []
    result = corrupt(
        given, noise, 0, corpus, home, translator=translator, on_progress=lambda *a: seen.append(a)
    )
    # The source is made from the target and the other way round, each direction in one batch.
    assert [(name, len(texts)) for name, texts in translator.asked] == [
        ("en-de", 3), ("de-en", 3), ("de-en", 3), ("en-de", 3),
    ]  # fmt: skip
    assert seen[-1] == (6, 6)
    for p in result:
        assert p.noisy.target == " ".join(reversed(p.clean.source.split()))
        assert p.noisy.source == " ".join(reversed(p.clean.target.split()))
    again = Backwards()
    assert corrupt(given, noise, 0, corpus, home, translator=again) == result
    assert again.asked == []


def test_a_damaged_cache_of_translations_is_mended(home):
    corpus = open_corpus("everyday", home)
    given = corpus.pool(DE_EN)[:4]
    noise = Noise(kind="sentence")
    first = corrupt(given, noise, 0, corpus, home, translator=Backwards())
    (path,) = (home.cache / "translations").iterdir()
    path.write_bytes(path.read_bytes()[:-20] + b"\xff\n[1]\n")
    again = Backwards()
    assert corrupt(given, noise, 0, corpus, home, translator=again) == first
    assert [len(texts) for _, texts in again.asked] == [1]


def test_a_translator_with_nothing_to_say_leaves_the_side_as_it_is(home):
    class Silent(Backwards):
        def translate(self, texts, direction):
            return ["" for _ in texts]

    corpus = open_corpus("everyday", home)
    (result,) = corrupt(
        corpus.pool(DE_EN)[:1], Noise(kind="sentence"), 0, corpus, home, translator=Silent()
    )
    assert result.touched == () and result.noisy is result.clean


def test_sentence_noise_without_a_translator_says_what_to_give(home):
    with pytest.raises(InputError, match="needs a translator.*: give a finished run's id, latest"):
        check([DE_EN], Noise(kind="sentence"), 0, None, home)
    with pytest.raises(InputError, match="needs a translator"):
        one("sentence", "Hello there.", home)


# word, with a dictionary


MUSE = "hund dog\nhund hound\nder the\nist\tis\ngroß big\n\nguten Tag\thello\n"


def test_a_dictionary_serves_both_ways_and_its_first_entry_counts(home, tmp_path):
    path = tmp_path / "de-en.txt"
    path.write_text(MUSE, encoding="utf-8")
    toy = small_corpus(2)
    given = [pair("Der Hund ist groß.", "The dog is tall.")]
    noise = Noise(kind="word", side="both", dictionary=str(path))
    (result,) = corrupt(given, noise, 0, toy, home)
    assert result.noisy.target == "The dog is big."
    assert result.noisy.source == "Der hund ist tall."
    check([DE_EN, EN_DE], noise, 0, toy, home)
    named = tmp_path / "muse.txt"
    named.write_text(MUSE, encoding="utf-8")
    noise = Noise(kind="word", side="both", dictionary=f"{named}:de-en")
    assert corrupt(given, noise, 0, toy, home) == (result,)
    noise = Noise(kind="word", dictionary=str(tmp_path / "{source}-{target}.txt"))
    assert corrupt(given, noise, 0, toy, home)[0].noisy.target == "The dog is big."


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("none.txt", None, "the dictionary '.*none.txt' cannot be read"),
        ("d.txt", b"hund dog\nder the da\n", "line 2 of 'd.txt' is no dictionary entry: 'der the"),
        ("d.txt", b"hund dog\n\nkatze\n", "line 3 of 'd.txt' is no dictionary entry"),
        ("d.txt", b"hund\t\n", "line 1 of 'd.txt'"),
        ("d.txt", b"\n\n", "'d.txt' is empty"),
        ("d.txt", b"h\xfcnd dog\n", "'d.txt' is not UTF-8"),
        ("fr-en.txt", b"chien dog\n", "'fr-en.txt' is fr-en, and de-en is needed"),
    ],
)  # fmt: skip
def test_a_bad_dictionary(name, data, says, home, tmp_path):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    noise = Noise(kind="word", dictionary=str(path))
    with pytest.raises(InputError, match=says) as caught:
        check([DE_EN], noise, 0, None, home)
    assert caught.value.field == "noise.dictionary"
    with pytest.raises(InputError, match=says):
        corrupt([pair("Hund", "Dog")], noise, 0, small_corpus(2), home)


def test_a_dictionary_that_does_not_say_which_way_it_goes(home, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text(MUSE, encoding="utf-8")
    noise = Noise(kind="word", dictionary=str(path))
    check([DE_EN], noise, 0, None, home)
    with pytest.raises(InputError, match="de-en and en-de are needed: write .*words.txt:de-en"):
        check([DE_EN, EN_DE], noise, 0, None, home)
