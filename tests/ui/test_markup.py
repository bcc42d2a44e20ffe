import pytest

from mtlab.ui.markup import badges, difference, escape, marked_words, table, text_block

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "${alert(1)}",
    "{{constructor.constructor('alert(1)')()}}",
    "`${1}`",
    '" onmouseover="alert(1)',
    "</td></table><h1>free",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_shown_and_never_executed(text):
    pieces = [
        escape(text),
        text_block(text),
        marked_words([(text, True)]),
        difference(text, "reference"),
        badges([text]),
        table([text], [[escape(text)]], caption=text),
    ]
    for piece in pieces:
        for mark in ("<img", "<script", "${", "{{", "`", "<h1", '" onmouseover'):
            assert mark not in piece


def test_plain_text_stays_readable():
    assert escape("Où est-ce ? Þú veist það.") == "Où est-ce ? Þú veist það."


def test_text_runs_in_its_own_direction():
    assert 'dir="auto"' in text_block("שלום")


def test_words_the_reference_lacks_are_marked():
    assert difference("the black cat sleeps", "the cat sleeps") == (
        "the <mark>black</mark> cat sleeps"
    )
    assert difference("", "the cat") == ""
