"""Words apart and together again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtlab.noise.tokens import chinese_words, joined, tokens

CUTS = [
    ("en", "The dog's bone isn't here.", "The dog 's bone isn't here ."),
    ("en", "It's well-known in the U.S., too", "It 's well-known in the U.S. , too"),
    ("en", "At 3.50 or 10:30?", "At 3.50 or 10:30 ?"),
    ("de", "„Straßenbahn“, sagte er.", "„ Straßenbahn “ , sagte er ."),
    ("fr", "L'école qu'il aime, c'est où ?", "Le école que il aime , ce est où ?"),
    ("fr", "Où est-elle, peux-tu m'aider ?", "Où est elle , peux tu me aider ?"),
    ("fr", "Y a-t-il aujourd'hui un rendez-vous ?", "Y a il aujourd'hui un rendez-vous ?"),
    ("is", "Hvar er strætó, Þóra?", "Hvar er strætó , Þóra ?"),
    ("ru", "Где вокзал?", "Где вокзал ?"),
    ("ja", "駅はどこですか。", "駅 は どこ です か 。"),
]


@pytest.mark.parametrize(("code", "text", "expected"), CUTS)
def test_cutting(code, text, expected):
    assert " ".join(tokens(text, code)) == expected


def test_chinese_is_cut_into_words_its_own_texts_suggest():
    texts = ["我们去火车站", "火车站在哪里", "他在火车站", "火车站很大", "这是火车站", "大家都好"]
    words = chinese_words(texts)
    assert words == ["火车", "火车站", "车站"]
    assert tokens("火车站在哪里？", "zh", set(words)) == ["火车站", "在", "哪", "里", "？"]
    assert tokens("在WMT 22上", "zh") == ["在", "WMT", "22", "上"]


@pytest.mark.parametrize(
    ("code", "parts", "expected"),
    [
        ("en", 'He said : " no " , ( twice ) !', 'He said: "no", (twice)!'),
        ("en", "here 。", "here."),
        ("fr", "Où est le gare ?", "Où est le gare ?"),
        ("de", "Wo ist „ das “ ?", "Wo ist „das“?"),
        ("en", "Is “ that ” it ?", "Is “that” it?"),
        ("zh", "我们 去 火车站 ?", "我们去火车站？"),
        ("zh", "在 New York 的 人", "在New York的人"),
        ("ja", "駅 は どこ です か .", "駅はどこですか。"),
    ],
)
def test_joining(code, parts, expected):
    assert joined(parts.split(), code) == expected


@given(st.text(max_size=40), st.sampled_from(("cs", "de", "en", "fr", "is", "ru", "zh")))
def test_no_text_breaks_it(text, code):
    parts = tokens(text, code)
    assert all(parts)
    assert isinstance(joined(parts, code), str)
