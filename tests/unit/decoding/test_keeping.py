"""Decoding that is cut off at any moment and goes on: the same batches, the same answers."""

from contextlib import suppress

import pytest

from mtlab.decoding import translate, translate_seq2seq
from mtlab.models import TranslationModel, load, load_translation_model
from mtlab.presets import Base
from mtlab.prompts import Template
from mtlab.settings import Settings
from mtlab.spec import Decoding, Direction
from tests.tiny_translation_models import TEXT, m2m

DE_EN = Direction.parse("de-en")
SOURCES = [
    *TEXT,
    "Ja.",
    "",
    TEXT[1],
    "Heute ist ein schöner Tag.",
    "Ich auch nicht.",
    "Wort " * 300,
]


class Cut(BaseException):
    """The end of the process."""


class Memory:
    """Keeps answers, notes the batches, and is cut off while it writes a batch down."""

    def __init__(self, answers=(), cut=None, torn=0):
        self.answers = dict(answers)
        self.batches = []
        self._cut, self._torn = cut, torn

    def read(self):
        return dict(self.answers)

    def add(self, answers):
        if len(self.batches) == self._cut:
            self.answers.update(list(answers.items())[: self._torn])
            raise Cut
        self.batches.append(tuple(answers))
        self.answers.update(answers)


@pytest.fixture(scope="module")
def answering(tiny_model, tmp_path_factory):
    """Translates the sources with a decoder, in one way of three, or with an encoder-decoder."""
    root = tmp_path_factory.mktemp("keeping")
    settings = Settings.from_environment({"MTLAB_HOME": str(root / "home")})
    base = Base("tiny", "tiny", path=tiny_model)
    decoder = load(base, precision="fp32", device="cpu", settings=settings)
    named = TranslationModel.named(str(m2m(root / "m2m")), DE_EN, settings)
    seq2seq = load_translation_model(named, settings, device="cpu", precision="fp32")

    def answer(how, kept, told=None):
        options = {"kept": kept, "on_progress": told}
        if how == "seq2seq":
            decoding = Decoding(max_new_tokens=8, token_budget=160)
            return translate_seq2seq(seq2seq, SOURCES, DE_EN, decoding, **options)
        budget = 440 if how == "beam" else 220
        decoding = Decoding(strategy=how, beams=2, max_new_tokens=8, token_budget=budget)
        return translate(decoder, SOURCES, DE_EN, decoding, Template(), seed=3, **options)

    return answer


@pytest.mark.parametrize("how", ["beam", "greedy", "sample", "seq2seq"])
def test_cut_off_at_any_batch_it_goes_on_with_the_same_batches(answering, how):
    whole = Memory()
    expected = answering(how, whole)
    assert expected == answering(how, None)
    assert len(whole.batches) >= 3 and max(map(len, whole.batches)) > 1
    for number, batch in enumerate(whole.batches):
        for torn in {0, 1, len(batch)}:
            first = Memory(cut=number, torn=torn)
            with pytest.raises(Cut):
                answering(how, first)
            left, told = Memory(first.answers), []
            assert answering(how, left, lambda *now, told=told: told.append(now)) == expected
            # A batch of which some answers are missing is made again as a whole: what shares a
            # batch may change the last bits of the logits.
            is_all_there = torn == len(batch)
            assert left.batches == whole.batches[number + is_all_there :]
            assert told[-1][0] == told[-1][1] and len(told) == len(whole.batches)


def test_cut_off_again_and_again_it_comes_to_the_same_end(answering):
    whole, memory, attempts, found = Memory(), Memory(), 0, None
    expected = answering("beam", whole)
    while found is None:
        memory = Memory(memory.answers, cut=1, torn=1)  # a batch, and a part of another
        with suppress(Cut):
            found = answering("beam", memory)
        attempts += 1
    assert found == expected and attempts == len(whole.batches)
