"""Every kind on real and on awkward sentences: what holds for all of them."""

import pytest

from mtlab.corpora import draw, open_corpus
from mtlab.corpora.multiway import MultiwayCorpus
from mtlab.corpora.pairs import Pair
from mtlab.noise import corrupt, diff, preview
from mtlab.noise_kinds import NOISE_KINDS
from mtlab.spec import Direction, Noise, RunSpec
from tests.fake_translator import Backwards

DE_EN, EN_IS, FR_DE = map(Direction.parse, ("de-en", "en-is", "fr-de"))
KINDS = list(NOISE_KINDS)


def noisy(kind, drawn, corpus, home, *, side="target", ratio=1.0, seed=0, pairs=None, **options):
    return corrupt(
        drawn.pairs if pairs is None else pairs,
        Noise(kind=kind, side=side, ratio=ratio, **options),
        seed,
        corpus,
        home,
        order=drawn.order,
        translator=Backwards(),
    )


@pytest.fixture
def corpus(home):
    return open_corpus("everyday", home)


@pytest.fixture
def drawn(corpus):
    return draw(corpus, (DE_EN, EN_IS, FR_DE), 48, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_pair_has_the_same_noise_whatever_stands_beside_it(kind, drawn, corpus, home):
    first = noisy(kind, drawn, corpus, home)
    assert noisy(kind, drawn, corpus, home) == first
    assert noisy(kind, drawn, corpus, home, pairs=drawn.pairs[:9]) == first[:9]
    larger = draw(corpus, (DE_EN, EN_IS, FR_DE), 96, 0)
    assert noisy(kind, larger, corpus, home)[:48] == first


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", ["source", "target"])
def test_nearly_every_text_is_changed_and_the_other_side_never(kind, side, drawn, corpus, home):
    result = noisy(kind, drawn, corpus, home, side=side)
    other = "target" if side == "source" else "source"
    for pair in result:
        assert getattr(pair.noisy, other) == getattr(pair.clean, other)
        text, clean = getattr(pair.noisy, side), getattr(pair.clean, side)
        assert text.strip() and "\n" not in text
        assert pair.touched == ((side,) if text != clean else ())
        assert (pair.noisy.key, pair.noisy.direction) == (pair.clean.key, pair.clean.direction)
        if pair.touched and kind != "truncated":
            assert any(changed for _, changed in diff(clean, text)) or len(text) < len(clean)
    # Word by word, a short sentence may come out as it was.
    assert sum(bool(pair.touched) for pair in result) >= (44 if kind == "word" else 48)


@pytest.mark.parametrize("kind", KINDS)
def test_ratio_and_both_sides(kind, drawn, corpus, home):
    assert not any(p.touched for p in noisy(kind, drawn, corpus, home, ratio=0))
    half = [p for p in noisy(kind, drawn, corpus, home, ratio=0.5, side="both") if p.touched]
    assert 20 <= len(half) <= 24
    whole = noisy(kind, drawn, corpus, home, side="both")
    assert {p.noisy.key: p for p in half}.items() <= {p.noisy.key: p for p in whole}.items()
    assert sum(p.touched == ("source", "target") for p in whole) >= 40


@pytest.mark.parametrize("kind", ["grammar", "semantic", "jargon", "typo", "truncated"])
def test_another_seed_makes_other_faults(kind, drawn, corpus, home):
    one, two = (noisy(kind, drawn, corpus, home, seed=seed) for seed in (1, 2))
    assert sum(a.noisy != b.noisy for a, b in zip(one, two, strict=True)) > 24


EASTERN = [
    ("我昨天没有去火车站。", "昨日は駅に行きませんでした。"),
    ("这本书在桌子上。", "この本は机の上にあります。"),
    ("他有3个孩子。", "彼には子供が3人います。"),
    ("你好！", "やあ！"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", ["source", "target"])
def test_chinese_and_japanese(kind, side, home):
    rows = {n: {"zh": a, "ja": b} for n, (a, b) in enumerate(EASTERN, 1)}
    toy = MultiwayCorpus("toy", "the toy corpus", "", rows, {})
    direction = Direction.parse("zh-ja")
    order = {direction: toy.pool(direction)}
    options = Noise(kind=kind, side=side)
    result = corrupt(
        toy.pool(direction), options, 0, toy, home, order=order, translator=Backwards()
    )
    for pair in result:
        text = getattr(pair.noisy, side)
        assert text.strip()
        if kind not in ("sentence", "word"):
            assert pair.touched == (side,)
            assert kind in ("jargon", "truncated") or " " not in text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text", ["", "?", "Ja", "a", "3", "Ja.", "…  !", "OK OK", "É", "🙂", "42 %"]
)
def test_a_text_with_next_to_nothing_in_it_breaks_no_kind(kind, text, home, corpus):
    given = [
        Pair(direction=DE_EN, source=text or "x", target=text, key="given:1"),
        Pair(direction=DE_EN, source="Wo ist das?", target="Where is that?", key="given:2"),
    ]
    first, second = corrupt(given, Noise(kind=kind), 0, corpus, home, translator=Backwards())
    assert isinstance(first.noisy.target, str)
    assert first.touched == (("target",) if first.noisy.target != text else ())
    assert second.touched == ("target",)


@pytest.mark.parametrize("code", ["cs", "ru", "fi", "ha", "uk", "es"])
@pytest.mark.parametrize("kind", ["grammar", "semantic", "jargon", "typo", "truncated"])
def test_languages_without_rules_of_their_own_have_noise_too(kind, code, home, corpus):
    text = "Привет, мой старый друг." if code in ("ru", "uk") else "Dobar primjer jedne rečenice."
    pair = Pair(Direction.parse(f"en-{code}"), "A good example.", text, "given:1")
    (result,) = corrupt([pair], Noise(kind=kind), 0, corpus, home)
    assert result.touched == ("target",)
    assert result.noisy.target != text


def test_a_persons_own_texts_need_no_corpus_of_their_own(home):
    spec = RunSpec(train="de-en", size=4)
    texts = [
        ("Wir haben ein altes Haus.", "Our house is old."),
        ("Wo ist er?", "Where has he gone?"),
    ]
    for kind in KINDS:
        result = preview(Noise(kind=kind), spec, home, texts, Backwards())
        assert [pair.clean.key for pair in result] == ["given:1", "given:2"]
        assert all(pair.touched for pair in result), kind
