"""Which pairs are touched, what becomes of them, and how it is shown."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtlab.corpora import draw, open_corpus
from mtlab.corpora.pairs import Pair
from mtlab.noise import KINDS, Kind, corrupt, diff, preview
from mtlab.noise.word import _dressed_like
from mtlab.noise_kinds import NOISE_KINDS
from mtlab.spec import Direction, Noise, RunSpec

DE_EN, EN_DE = Direction.parse("de-en"), Direction.parse("en-de")


class Shout(Kind):
    """A kind of noise that is easy to recognise."""

    def corrupt_texts(self, pairs, side, context):
        return [getattr(pair, side).upper() for pair in pairs]


@pytest.fixture
def shout(monkeypatch):
    monkeypatch.setitem(KINDS, "word", Shout())


def pairs(count, *directions):
    return [
        Pair(direction, f"quelle {n}", f"ziel {n}", f"toy:{direction}:{n}")
        for n in range(count)
        for direction in directions or (DE_EN,)
    ]


def touched(count, ratio, seed=0, directions=(DE_EN,)):
    noisy = corrupt(pairs(count, *directions), Noise(kind="word", ratio=ratio), seed, None, None)
    return [n for n, pair in enumerate(noisy) if pair.touched]


def test_every_kind_of_the_spec_is_there():
    kinds = set(get_args(Noise.model_fields["kind"].annotation)) - {"none"}
    assert set(KINDS) == kinds == set(NOISE_KINDS)
    assert all(isinstance(kind, Kind) for kind in KINDS.values())
    assert all(title and title[-1] != "." for title in NOISE_KINDS.values())


def test_a_text_that_noise_leaves_alone_does_not_count_as_touched(monkeypatch):
    class Whisper(Kind):
        def corrupt_texts(self, pairs, side, context):
            return [getattr(pair, side).lower() for pair in pairs]

    monkeypatch.setitem(KINDS, "word", Whisper())
    for pair in corrupt(pairs(4), Noise(kind="word", side="both"), 0, None, None):
        assert pair.clean is pair.noisy and pair.touched == ()


@pytest.mark.parametrize("noise", [Noise(), Noise(kind="none"), Noise(kind="word", ratio=0)])
def test_no_noise_leaves_pairs_alone(noise):
    for pair in corrupt(pairs(4), noise, 0, None, None):
        assert pair.clean is pair.noisy and pair.touched == ()


@pytest.mark.parametrize(
    ("side", "source", "target", "sides"),
    [
        ("source", "QUELLE 0", "ziel 0", ("source",)),
        ("target", "quelle 0", "ZIEL 0", ("target",)),
        ("both", "QUELLE 0", "ZIEL 0", ("source", "target")),
    ],
)
def test_sides(side, source, target, sides, shout):
    (pair,) = corrupt(pairs(1), Noise(kind="word", side=side), 0, None, None)
    assert (pair.noisy.source, pair.noisy.target, pair.touched) == (source, target, sides)
    assert (pair.clean.source, pair.noisy.key) == ("quelle 0", pair.clean.key)


@pytest.mark.parametrize(("count", "ratio"), [(16, 0.5), (32, 0.25), (64, 0.125), (8, 1.0)])
def test_round_shares_are_exact(count, ratio, shout):
    for seed in range(5):
        assert len(touched(count, ratio, seed)) == count * ratio


@pytest.mark.parametrize("count", [1, 7, 33, 100, 1000])
@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.66])
def test_any_share_is_met_to_within_a_few_pairs(count, ratio, shout):
    assert abs(len(touched(count, ratio)) - count * ratio) <= 5


def test_each_direction_has_its_own_share(shout):
    noisy = corrupt(pairs(16, DE_EN, EN_DE), Noise(kind="word", ratio=0.5), 0, None, None)
    for direction in (DE_EN, EN_DE):
        assert sum(bool(p.touched) for p in noisy if p.clean.direction == direction) == 8


def test_the_same_pair_has_the_same_noise_at_every_size(shout):
    large = touched(100, 0.4, directions=(DE_EN, EN_DE))
    small = touched(37, 0.4, directions=(DE_EN, EN_DE))
    assert small == [n for n in large if n < 74]


def test_a_larger_ratio_touches_what_a_smaller_one_touches(shout):
    assert set(touched(50, 0.2)) <= set(touched(50, 0.5)) <= set(touched(50, 0.9))


def test_another_seed_touches_others(shout):
    assert len({tuple(touched(32, 0.5, seed)) for seed in range(8)}) > 1


@pytest.mark.parametrize(
    ("clean", "words", "expected"),
    [
        ("Das Haus ist alt.", "the house is old.", "The house is old."),
        ("Où est la gare ?", "wo ist Bahnhof?", "Wo ist Bahnhof ?"),
        ("iPhone!", "Das telefon.", "Das telefon!"),
        ("Ja", "yes.", "Yes"),
        ("駅です。", "station is.", "station is。"),
        ("Ja.", "...", "..."),
        ("3 Euro", "3 euros", "3 Euros"),
    ],
)
def test_first_capital_and_last_mark(clean, words, expected):
    assert _dressed_like(clean, words) == expected


def test_word_noise_on_the_real_sentences(home):
    corpus = open_corpus("everyday", home)
    drawn = draw(corpus, (DE_EN, EN_DE), 64, 0).pairs
    noisy = corrupt(drawn, Noise(kind="word", side="both"), 0, corpus, home)
    assert corrupt(drawn, Noise(kind="word", side="both"), 0, corpus, home) == noisy
    for pair in noisy:
        assert pair.noisy.source.strip() and pair.noisy.target.strip()
        for side in ("source", "target"):
            clean, text = getattr(pair.clean, side), getattr(pair.noisy, side)
            assert text[-1] == clean[-1]
            assert "\n" not in text and "  " not in text
    # A short sentence may come out as it was; nearly all do not.
    assert sum(pair.noisy.target != pair.clean.target for pair in noisy) > 58
    # Word by word stays close to the other side: about as many words, many of them right.
    english = [p for p in noisy if p.clean.direction == DE_EN]
    shared = [
        len(set(p.clean.target.lower().split()) & set(p.noisy.target.lower().split()))
        / len(set(p.clean.target.split()))
        for p in english
    ]
    assert 0.3 < sum(shared) / len(shared) < 0.95


def test_preview_of_a_spec_and_of_own_pairs(home):
    spec = RunSpec(train="de-en", size=4)
    noise = Noise(kind="word", side="target")
    shown = [p.touched for p in preview(noise, spec, home)]
    assert len(shown) == 4 and shown.count(("target",)) >= 3  # one may come out as it was
    (own,) = preview(noise, spec, home, texts=[("Wir haben ein altes Haus.", "Our house is old.")])
    assert own.touched == ("target",)
    assert own.clean.direction == DE_EN and own.clean.key == "given:1"
    assert own.noisy.target.endswith(".") and own.noisy.target[0].isupper()


def test_json_tells_both_sides(shout):
    (pair,) = corrupt(pairs(1), Noise(kind="word", side="target"), 0, None, None)
    assert json.loads(json.dumps(pair.to_json())) == {
        "key": "toy:de-en:0",
        "direction": "de-en",
        "source": "quelle 0",
        "target": "ZIEL 0",
        "touched": ["target"],
        "clean_target": "ziel 0",
    }


def test_diff_marks_what_is_new():
    assert diff("The house is old.", "The old house is.") == [
        ("The", False),
        ("old", True),
        ("house", False),
        ("is.", True),
    ]
    assert diff("我去车站", "我到车站") == [
        ("我", False),
        ("到", True),
        ("车", False),
        ("站", False),
    ]
    assert diff("", "") == []


@given(st.text(max_size=30), st.text(max_size=30))
def test_diff_gives_back_all_of_the_noisy_text(clean, noisy):
    assert "".join(token for token, _ in diff(clean, noisy)) == "".join(noisy.split())
    assert not any(changed for _, changed in diff(clean, clean))
