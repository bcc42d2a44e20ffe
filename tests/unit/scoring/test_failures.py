"""Failures: planted ones are found, true translations are left in peace."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from mtlab.scoring.failures import FAILURES, flag, is_copy, shares
from mtlab.scoring.language_id import detect_language, is_off_target
from mtlab.settings import ASSETS
from mtlab.spec import Direction

FALSE_ALARMS = 0.01
FOUND = 0.98

SENTENCES = {
    "cs": "Zítra ráno půjdeme se sestrou na trh koupit čerstvý chléb.",
    "de": "Morgen früh gehen wir mit meiner Schwester frisches Brot kaufen.",
    "en": "Tomorrow morning we will go and buy fresh bread with my sister.",
    "fr": "Demain matin, nous irons acheter du pain frais avec ma sœur.",
    "ha": "Gobe da safe za mu je kasuwa tare da 'yar'uwata mu sayi gurasa.",
    "hr": "Sutra ujutro idemo s mojom sestrom kupiti svježi kruh na tržnici.",
    "is": "Á morgun förum við með systur minni að kaupa nýtt brauð.",
    "ja": "明日の朝、妹と一緒に焼きたてのパンを買いに行きます。",
    "ru": "Завтра утром мы с сестрой пойдём на рынок и купим свежий хлеб.",
    "uk": "Завтра вранці ми із сестрою підемо на ринок і купимо свіжий хліб.",
    "zh": "明天早上我们要和妹妹一起去市场买新鲜的面包。",
}


def everyday() -> list[dict[str, str]]:
    """The bundled test sentences, by language."""
    header, *rows = (ASSETS / "everyday" / "test.tsv").read_text(encoding="utf-8").splitlines()
    return [dict(zip(header.split("\t"), row.split("\t"), strict=True)) for row in rows]


def directions() -> list[Direction]:
    return [Direction(source=s, target=t) for s, t in permutations(("en", "de", "fr", "is"), 2)]


def test_true_translations_are_left_in_peace() -> None:
    flags = [
        flag(row[way.source], None, row[way.target], way)
        for row in everyday()
        for way in directions()
    ]
    assert len(flags) > 1500
    for name, share in shares(flags).items():
        assert share <= FALSE_ALARMS, f"{share:.2%} of true translations are flagged {name}"


def test_another_language_is_found() -> None:
    found = [
        is_off_target(row[way.source], row[other], way)
        for row in everyday()
        for way in directions()
        for other in row
        if other != way.target
    ]
    assert sum(found) / len(found) >= FOUND


@pytest.mark.parametrize("wrong", SENTENCES)
@pytest.mark.parametrize("target", SENTENCES)
def test_every_language_of_the_lab(target: str, wrong: str) -> None:
    way = Direction(source="en" if target != "en" else "de", target=target)
    assert is_off_target("The hat is red.", SENTENCES[wrong], way) == (wrong != target)


@pytest.mark.parametrize("code", SENTENCES)
def test_the_language_of_a_sentence(code: str) -> None:
    assert detect_language(SENTENCES[code]) == code


@pytest.mark.parametrize(
    "text",
    ["", "...", "42", "Ok.", "Berlin", "https://example.org/das-ist-kein-text", "(1)"],
)
def test_no_verdict_where_there_is_no_ground(text: str) -> None:
    assert detect_language(text) is None
    assert "off-target" not in flag("Berlin", None, text, Direction.parse("en-de"))


@pytest.mark.parametrize(
    ("direction", "source", "hypothesis"),
    [
        ("de-en", "Annegret Müller-Lüdenscheidt, Köln", "Annegret Müller-Lüdenscheidt, Köln"),
        ("cs-en", "Jan Šíp a Eliška Říhová přišli.", "Jan Šíp and Eliška Říhová came."),
        ("en-ja", "Announcement: closed Monday", "休業日月曜"),
        ("cs-uk", "Dobrý den.", "Добрий день."),
    ],
)
def test_a_name_is_a_name_in_every_language(direction: str, source: str, hypothesis: str) -> None:
    assert not is_off_target(source, hypothesis, Direction.parse(direction))


def test_a_row_of_kanji_may_be_chinese_or_japanese() -> None:
    assert detect_language("東京国際空港") is None
    assert not is_off_target("Tokyo airport", "東京国際空港", Direction.parse("en-ja"))
    assert is_off_target("Tokyo airport", "東京国際空港", Direction.parse("en-de"))


def test_relatives_are_told_apart_by_their_letters_only() -> None:
    assert is_off_target("Good day to you all.", "Добрый день вам всем", Direction.parse("en-uk"))
    assert not is_off_target("A good man.", "Добра людина, брат", Direction.parse("en-ru"))


def test_copies_are_found() -> None:
    draw = random.Random(3)
    for with_reference in (True, False):
        found = []
        for row in everyday():
            for way in directions():
                source = row[way.source]
                reference = row[way.target] if with_reference else None
                words = source.split()
                changed = draw.randrange(len(words))
                near = [word for place, word in enumerate(words) if place != changed]
                found.append(is_copy(source, source, reference))
                found.append(is_copy(source, source.lower().rstrip("."), reference))
                if len(words) > 5:
                    found.append(is_copy(source, " ".join(near), reference))
        assert sum(found) / len(found) >= FOUND


@pytest.mark.parametrize(
    ("source", "reference", "hypothesis", "copied"),
    [
        ("Tom und Ann und Bob", "Tom and Ann and Bob", "Tom und Ann und Bob", True),
        ("Tom mag Ann, Bob, Eve.", "Tom likes Ann, Bob, Eve.", "Tom likes Ann, Bob, Eve.", False),
        ("Hotel Adlon, 1907", "Hotel Adlon, 1907", "Hotel Adlon, 1907", False),
        ("Okay.", "Okay.", "Okay.", False),
        ("Nein, danke.", "No, thanks.", "Nein, danke.", True),
        ("今日は雨です。", "It is raining today.", "今日は雨です", True),
        ("Das ist gut.", "That is good.", "", False),
        ("!!!", "!!!", "!!!", False),
    ],
)  # fmt: skip
def test_a_copy_is_told_from_names_and_loan_words(
    source: str, reference: str, hypothesis: str, copied: bool
) -> None:
    assert is_copy(source, hypothesis, reference) == copied


@pytest.mark.parametrize("hypothesis", ["", "  ", "\n", "...", "—"])
def test_nothing_is_empty(hypothesis: str) -> None:
    assert flag("Ja.", "Yes.", hypothesis, Direction.parse("de-en")) == ("empty",)


def test_loops_are_found() -> None:
    draw = random.Random(5)
    found = []
    for row in everyday():
        words = row["en"].split()
        start = draw.randrange(len(words) - 3)
        for length, times in ((1, 8), (2, 6), (4, 5)):
            phrase = words[start : start + length]
            looped = " ".join(words[:start] + phrase * times)
            found.append(
                "repetition" in flag(row["de"], row["en"], looped, Direction.parse("de-en"))
            )
        found.append(
            "repetition" in flag(row["de"], None, row["en"] + "!" * 40, Direction.parse("de-en"))
        )
    assert sum(found) / len(found) >= FOUND


def test_japanese_loops_are_found_without_spaces() -> None:
    looped = "明日は" + "とても" * 12
    assert "repetition" in flag("Tomorrow is fine.", None, looped, Direction.parse("en-ja"))


def test_what_the_source_repeats_may_be_repeated() -> None:
    way = Direction.parse("de-en")
    assert flag("Nein, nein, nein, nein, nein!", None, "No, no, no, no, no!", way) == ()
    assert "repetition" in flag("Nein, nein!", None, "No, no, no, no, no, no!", way)


def test_what_the_decoder_cut_is_truncated() -> None:
    way = Direction.parse("de-en")
    assert flag("Das ist gut.", "That is good.", "That is", way, ended=False) == ("truncated",)


def test_several_failures_of_one_segment_stand_in_order() -> None:
    source = "Der alte Mann sitzt jeden Tag auf der Bank vor dem Haus."
    way = Direction.parse("de-en")
    reference = "The old man sits on the bench in front of the house every day."
    assert flag(source, reference, source, way, ended=False) == ("off-target", "copy", "truncated")


def test_shares_name_every_failure() -> None:
    found = shares([(), ("copy",), ("off-target", "copy"), ()])
    assert found == {
        "off-target": 0.25, "copy": 0.5, "empty": 0.0, "repetition": 0.0, "truncated": 0.0
    }  # fmt: skip
    assert shares([]) == dict.fromkeys(FAILURES, 0.0)


def test_long_output_takes_no_time() -> None:
    """A model that never ends says thousands of words."""
    words = " ".join(random.Random(1).choices("one two three four five six seven".split(), k=5000))
    assert flag("Eins.", None, words, Direction.parse("de-en"))
