"""Hypotheses on disk as batches end: what is found again, and what never is."""

import pytest

from mtlab.decoding import Hypothesis
from mtlab.runs.partial import Partial, drop_partials

ANSWERS = {
    4: Hypothesis('Zwei\nZeilen, "Zitate" und \u2028 anderes', True, 9),
    0: Hypothesis("", False, 0, "the source is longer than the model's context"),
    7: Hypothesis("はい。", False, 3),
}


@pytest.fixture
def partial(tmp_path):
    def make(key="asked", count=8, name="de-en"):
        return Partial(tmp_path, name, key, count)

    make.path = tmp_path / "partial" / "de-en.jsonl"
    return make


def test_what_was_added_is_found_by_the_next_attempt(partial):
    assert partial().read() == {}
    partial().add({4: ANSWERS[4]})
    partial().add({place: ANSWERS[place] for place in (0, 7)})
    assert partial().read() == ANSWERS
    assert partial(name="en-de").read() == {}


def test_torn_at_any_byte_it_is_what_was_whole_and_takes_more(partial):
    partial().add({place: ANSWERS[place] for place in (4, 0)})
    data = partial.path.read_bytes()
    lines = data.splitlines(keepends=True)
    assert len(lines) == 3
    for size in range(len(data)):
        partial.path.write_bytes(data[:size])
        whole = [
            place
            for number, place in ((2, 4), (3, 0))
            if size >= sum(map(len, lines[:number])) - 1  # the line's end itself may be missing
        ]
        assert list(partial().read()) == whole, size
        partial().add({7: ANSWERS[7]})
        assert partial().read() == {place: ANSWERS[place] for place in [*whole, 7]}, size


def test_what_answers_another_question_is_not_used_and_goes(partial):
    partial().add(ANSWERS)
    assert partial(key="another").read() == {}
    partial(key="another").add({1: ANSWERS[7]})
    assert partial(key="another").read() == {1: ANSWERS[7]}
    assert partial().read() == {}


@pytest.mark.parametrize(
    "line",
    [
        '{"index": 8, "text": "beyond", "ended": true, "tokens": 1}',
        '{"index": -1, "text": "before", "ended": true, "tokens": 1}',
        '{"index": "1", "text": "no number", "ended": true, "tokens": 1}',
        '{"index": 1, "text": "of a later version", "ended": true, "tokens": 1, "new": 0}',
        '{"index": 1, "text": null, "ended": true, "tokens": 1}',
        '{"text": "nowhere", "ended": true, "tokens": 1}',
        '[1, "no mapping"]',
        "\0\0\0\0",
    ],
)
def test_a_line_that_says_nothing_is_passed_over(partial, line):
    partial().add({4: ANSWERS[4]})
    with partial.path.open("a") as file:
        file.write(line + "\n")
    partial().add({7: ANSWERS[7]})
    assert partial().read() == {4: ANSWERS[4], 7: ANSWERS[7]}


def test_it_goes_when_the_direction_is_whole(partial, tmp_path):
    partial().drop()
    partial().add(ANSWERS)
    partial().drop()
    assert partial().read() == {} and not partial.path.exists()
    partial().add(ANSWERS)
    drop_partials(tmp_path)
    assert list(tmp_path.iterdir()) == []
