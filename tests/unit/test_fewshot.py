from __future__ import annotations

import pytest

from mtlab.corpora.pairs import Pair
from mtlab.decoding import stream, translate
from mtlab.fewshot import FewShot
from mtlab.models import load
from mtlab.presets import resolve_base
from mtlab.settings import Settings
from mtlab.spec import Decoding, Direction

DE_EN = Direction.parse("de-en")
SHOWN = (
    Pair(DE_EN, "Das Haus ist rot.", "The house is red.", "a"),
    Pair(DE_EN, "Wo ist {source}?\n", "Where is {target_language}?", "b"),
)


def test_the_examples_stand_before_the_source_as_they_are() -> None:
    template = FewShot(examples={DE_EN: SHOWN})
    assert template.prompt("Ja.", DE_EN) == (
        "German: Das Haus ist rot.\nEnglish: The house is red.\n\n"
        "German: Wo ist {source}?\nEnglish: Where is {target_language}?\n\n"
        "German: Ja.\nEnglish:"
    )


@pytest.mark.parametrize("strategy", ["beam", "greedy", "sample"])
def test_an_answer_is_one_line_and_ended_there(strategy: str, home: Settings) -> None:
    nano = load(resolve_base("nano", home), settings=home)
    template = FewShot(examples={DE_EN: SHOWN[:1]})
    decoding = Decoding(strategy=strategy, max_new_tokens=60)
    sources = ["Der Garten ist grün.", "Der Hund schläft."]
    answers = translate(nano, sources, DE_EN, decoding, template)
    assert all(answer.text and "\n" not in answer.text for answer in answers)
    assert all(answer.ended and answer.tokens < 60 for answer in answers)
    *_, streamed = stream(nano, sources[0], DE_EN, decoding, template)
    (alone,) = translate(nano, sources[:1], DE_EN, decoding, template)
    assert streamed == alone


def test_a_line_end_inside_a_token_is_cut_there(home: Settings, monkeypatch) -> None:
    nano = load(resolve_base("nano", home), settings=home)
    monkeypatch.setattr(type(nano), "line_ends", ())
    template = FewShot(examples={DE_EN: SHOWN[:1]})
    (answer,) = translate(nano, ["Der Hund schläft."], DE_EN, Decoding(max_new_tokens=40), template)
    assert answer.text and "\n" not in answer.text and answer.ended
