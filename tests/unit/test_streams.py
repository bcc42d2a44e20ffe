"""Which test sets are translated together."""

from types import SimpleNamespace

import pytest

from mtlab.runs.streams import streams
from mtlab.spec import Direction
from mtlab.streams import streams_of


@pytest.mark.parametrize(
    ("sizes", "most", "expected"),
    [
        ([100] * 6, 1000, [[0, 1, 2, 3, 4, 5]]),
        ([400, 400, 200, 1], 1000, [[0, 1, 2], [3]]),
        ([10, 2000, 10, 10], 1000, [[0], [1], [2, 3]]),
        ([10, 10], 0, [[0], [1]]),
        ([0, 0], 0, [[0], [1]]),
        ([], 1000, []),
    ],
)
def test_small_ones_join_and_a_large_one_stays_alone(sizes, most, expected):
    assert streams_of(sizes, most) == expected


def test_a_stream_knows_its_part_of_the_run_and_tells_answers_apart():
    names = ["de-en", "en-de", "fr-en"]
    tests = {
        Direction.parse(name): tuple(SimpleNamespace(source=f"{name} {i}") for i in range(size))
        for name, size in zip(names, (2, 1, 3), strict=True)
    }
    first, second = streams(tests, 3)
    assert (first.name, second.name) == ("de-en and 1 more", "fr-en")
    assert first.by_direction(["a", "b", "c"]) == {
        Direction.parse("de-en"): ["a", "b"],
        Direction.parse("en-de"): ["c"],
    }
    assert [first.share(3), second.share(0), second.share(3)] == [0.5, 0.5, 1.0]
