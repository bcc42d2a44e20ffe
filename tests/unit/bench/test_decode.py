"""The contest of decoders, on a tiny model: the same work, and who cannot take part says why."""

import pytest

from mtlab.bench.contest import Lap
from mtlab.bench.decode import NAMES, Work, contest, contestant
from mtlab.bench.tuned import Tuned
from mtlab.corpora import Pair
from mtlab.corpora.wmt import WmtCorpus
from mtlab.errors import InputError
from mtlab.models import fast_bf16
from mtlab.spec import Direction

DE_EN = Direction.parse("de-en")


def test_decoders_translate_the_same_sentences_in_turns(home, tiny_model, monkeypatch):
    # How rough int8 is on random weights depends on the processor, and is not asked here.
    monkeypatch.setattr("mtlab.decoding.parity.MOST_WORSE", 1)
    told = []
    names = [name for name in NAMES if name != "hf"]
    found = contest(
        names, home, base=str(tiny_model), size=4, beams=2, limit=4, rounds=2, tell=told.append
    )
    standings = {one.name: one for one in found}
    assert list(standings) == list(NAMES)
    assert standings["mtlab"].agreement == 1.0, "in fp32 the answers are those of generate"
    assert standings["hf"].ratios == (1.0, 1.0) and standings["hf"].agreement == 1.0
    for name in ("hf", "hf-sorted", "mtlab", "ctranslate2", "ctranslate2-int8"):
        one = standings[name]
        assert one.problem is None and len(one.rates) == 2 and one.rate > 0
        assert one.quality is not None and 0 <= one.agreement <= 1
    assert set(standings["ctranslate2"].versions) == {"torch", "ctranslate2"}
    assert (standings["mtlab-bf16"].problem is None) == fast_bf16()
    assert "pip install vllm" in standings["vllm"].problem
    assert "round 2, mtlab" in " ".join(told)


def test_plain_generate_answers_in_the_order_it_was_asked(home, tiny_model):
    tuned = Tuned.make(str(tiny_model), "de-en", 4, 1, home)
    try:
        sources = tuple(pair.source for pair in tuned.tests("everyday", 20))
        laps = {}
        for name in ("hf", "hf-sorted"):
            one = contestant(name, Work(tuned, sources))
            one.model = lambda tuned: tuned.fp32
            one.prepare()
            laps[name] = one.lap()
        same = zip(laps["hf"].made, laps["hf-sorted"].made, strict=True)
        assert sum(a == b for a, b in same) > 17 and len(set(laps["hf"].made)) > 5
        assert isinstance(laps["hf"], Lap) and laps["hf"].work == 20
    finally:
        tuned.close()


def test_news_longer_than_the_models_texts_is_left_out(home, tiny_model, monkeypatch):
    words = [1, 8, 400, 12, 300, 3]
    news = [
        Pair(direction=DE_EN, source="Wort " * n, target="word " * n, key=f"wmt22:de-en:{n}")
        for n in words
    ]
    monkeypatch.setattr(WmtCorpus, "_make", lambda self, direction, split: iter(news))
    tuned = Tuned.make(str(tiny_model), "de-en", 1, 1, home)
    monkeypatch.setattr("mtlab.bench.tuned.LONGEST", 200)
    try:
        assert [len(pair.source.split()) for pair in tuned.tests("wmt22", 10)] == [1, 8, 12, 3]
        assert len(tuned.tests("wmt22", 2)) == 2
        with pytest.raises(InputError, match="there is no test set 'wmt21'"):
            tuned.tests("wmt21", 5)
    finally:
        tuned.close()


def test_an_unknown_contestant_is_refused_before_anything_is_done(home):
    with pytest.raises(InputError, match="against: there is no contestant 'hff': choose of hf, "):
        contest(["hff"], home, base="not there")
