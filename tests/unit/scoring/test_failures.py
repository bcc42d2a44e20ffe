"""Failures: planted ones are found, true translations are left in peace."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from mtlab.scoring.failures import FAILURES, Verdict, flag, is_copy, languages, shares, stacked
from mtlab.scoring.failures.lengths import is_over_long, stops_early
from mtlab.scoring.language_id import detect_language, off_target_language
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


def is_off_target(source: str, hypothesis: str, direction: Direction) -> bool:
    return off_target_language(source, hypothesis, direction) is not None


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
    assert "off-target" not in flag("Berlin", None, text, Direction.parse("en-de")).names


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
    assert flag("Ja.", "Yes.", hypothesis, Direction.parse("de-en")).names == ("empty",)


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
                "repetition" in flag(row["de"], row["en"], looped, Direction.parse("de-en")).names
            )
        found.append(
            "repetition"
            in flag(row["de"], None, row["en"] + "!" * 40, Direction.parse("de-en")).names
        )
    assert sum(found) / len(found) >= FOUND


def test_japanese_loops_are_found_without_spaces() -> None:
    looped = "明日は" + "とても" * 12
    assert "repetition" in flag("Tomorrow is fine.", None, looped, Direction.parse("en-ja")).names


def test_what_the_source_repeats_may_be_repeated() -> None:
    way = Direction.parse("de-en")
    assert flag("Nein, nein, nein, nein, nein!", None, "No, no, no, no, no!", way).names == ()
    assert "repetition" in flag("Nein, nein!", None, "No, no, no, no, no, no!", way).names


def test_what_the_decoder_cut_is_truncated() -> None:
    way = Direction.parse("de-en")
    assert flag("Das ist gut.", "That is good.", "That is", way, ended=False).names == (
        "truncated",
    )


def test_several_failures_of_one_segment_stand_in_order() -> None:
    source = "Der alte Mann sitzt jeden Tag auf der Bank vor dem Haus."
    way = Direction.parse("de-en")
    reference = "The old man sits on the bench in front of the house every day."
    verdict = flag(source, reference, source, way, ended=False)
    assert verdict == Verdict(("copy", "off-target", "truncated"), language="de")
    assert verdict.chief == "copy" and verdict.failed


def test_shares_name_every_failure_and_the_stack_counts_a_segment_once() -> None:
    copied = Verdict(("copy", "off-target"), "de")
    rows = [Verdict(), copied, Verdict(("off-target", "truncated"), "fr"), copied]
    nothing = dict.fromkeys(FAILURES, 0.0)
    assert shares(rows) == nothing | {"copy": 0.5, "off-target": 0.75, "truncated": 0.25}
    assert stacked(rows) == nothing | {"copy": 0.5, "off-target": 0.25}
    assert sum(stacked(rows).values()) == sum(row.failed for row in rows) / len(rows)
    assert languages(rows) == {"de": 0.5, "fr": 0.25}
    assert list(languages(rows)) == ["de", "fr"]
    assert (shares([]), stacked([]), languages([])) == (nothing, nothing, {})


@pytest.mark.parametrize("wrong", SENTENCES)
def test_the_wrong_language_is_named(wrong: str) -> None:
    source = "The red hat is hanging by the door, where it has always been."
    verdict = flag(source, None, SENTENCES[wrong], Direction.parse("en-it"))
    assert (verdict.names, verdict.language) == (("off-target",), wrong)


def test_a_script_of_no_language_of_the_lab_is_off_target_and_undetermined() -> None:
    verdict = flag("Good morning.", None, "안녕하세요 여러분", Direction.parse("en-de"))
    assert verdict == Verdict(("off-target",), "und")


@pytest.mark.parametrize(
    "hypothesis",
    [
        "Translate the following sentence from German to English.",
        "Put the following into  Icelandic. The soup is hot.",
        "The soup is hot.\n\n### Response:\nThe soup is hot.",
        "### Instruction (German to English):",
        "The soup is hot.<|im_end|>",
        "The soup is hot. [/INST]",
    ],
)
def test_the_prompt_in_the_answer_is_an_echo(hypothesis: str) -> None:
    way = Direction.parse("de-en")
    reference = "The soup is hot."
    assert "echo" in flag("Die Suppe ist heiß.", reference, hypothesis, way).names
    assert "echo" not in flag(hypothesis, reference, hypothesis, way).names
    assert "echo" not in flag("Die Suppe ist heiß.", hypothesis, hypothesis, way).names


def test_the_runs_own_template_is_looked_for_too() -> None:
    way, source = Direction.parse("de-en"), "Die Suppe ist heiß."
    template = "Say it in other words for me:\n{source_language}: {source}\n{target_language}:"
    for hypothesis in ("German: Die Suppe", "Say it in other words for me: The soup."):
        assert "echo" in flag(source, None, hypothesis, way, template=template).names
        assert "echo" not in flag(source, None, hypothesis, way).names
    assert flag(source, None, "The soup is hot.", way, template="chat").names == ()


@pytest.mark.parametrize(
    ("source", "reference", "hypothesis", "early"),
    [
        ("Wir gehen morgen früh zum See.", "We go to the lake early tomorrow.", "We go to", True),
        ("Wir gehen morgen früh zum See.", None, "We go to", True),
        ("Wir gehen, wenn es hell wird.", "We go when it gets light.", "We go when it is,", True),
        ("Wir gehen morgen zum See.", "We go to the lake tomorrow.", "We go to the lake tomorrow",
         False),
        ("Wir gehen morgen zum See.", "We go to the lake tomorrow.", "We go.", False),
        ("Wir gehen morgen zum", "We go to the", "We go", False),
        ("我们明天一早去湖边散步。", "We will walk by the lake early tomorrow.", "We will", True),
        ("We walk by the lake.", "我们明天去湖边散步。", "我们明天去湖边散步。", False),
        ("Er sagte: „Komm.“", "He said, “Come.”", "He said, “Come.”", False),
    ],
)  # fmt: skip
def test_a_stop_in_mid_sentence_is_told_from_a_missing_full_stop(
    source: str, reference: str | None, hypothesis: str, early: bool
) -> None:
    assert stops_early(source, hypothesis, reference) == early


@pytest.mark.parametrize(
    ("hypothesis", "reference", "over"),
    [
        ("Yes, of course.", "Yes.", False),
        ("The bus is late. " * 2, "The bus is late.", False),
        ("The bus is late because of the snow, and so are all of the trains.", "The bus is late.",
         True),
        ("The bus is late because of the snow, and so are all of the trains.", None, True),
        ("The bus is running a little late today.", None, False),
    ],
)  # fmt: skip
def test_over_long_has_a_floor(hypothesis: str, reference: str | None, over: bool) -> None:
    assert is_over_long("Der Bus ist spät.", hypothesis, reference) == over


def test_long_output_takes_no_time() -> None:
    """A model that never ends says thousands of words."""
    words = " ".join(random.Random(1).choices("one two three four five six seven".split(), k=5000))
    assert flag("Eins.", None, words, Direction.parse("de-en"))
