"""A contest: in turn, against the reference, with what was made compared."""

from dataclasses import dataclass, field

import pytest

from mtlab.bench.contest import Lap, hold
from mtlab.bench.results import Result
from mtlab.errors import NotAvailable


@dataclass
class Runner:
    """Takes a given time a lap, and notes when it ran."""

    name: str
    seconds: list[float]
    diary: list[str]
    made: tuple[str, ...] = ("a", "b")
    problem: str | None = None
    closed: bool = False
    how: str = "as told"
    _laps: int = field(default=0)

    def prepare(self):
        if self.problem:
            raise NotAvailable(self.name, why=self.problem)
        return {"runner": "1"}

    def lap(self):
        self.diary.append(self.name)
        self._laps += 1
        return Lap(self.seconds[self._laps - 1], 10, self.made, self.seconds[self._laps - 1])

    def close(self):
        self.closed = True


def equal(one, other):
    return sum(a == b for a, b in zip(one.made, other.made, strict=True)) / len(one.made)


def test_laps_are_taken_in_turn_and_ratios_are_of_one_round():
    diary = []
    slow = Runner("slow", [2.0, 8.0, 2.0], diary)
    fast = Runner("fast", [1.0, 2.0, 1.0], diary, made=("a", "x"))
    standings = hold([slow, fast], 3, equal)
    assert diary == ["slow", "fast", "fast", "slow", "slow", "fast"]
    assert standings[1].ratios == (2.0, 4.0, 2.0) and standings[1].ratio == 2.0
    assert standings[1].rate == 10.0 and standings[1].cpu_ratio == 2.0
    assert [one.agreement for one in standings] == [1.0, 0.5]
    assert slow.closed and fast.closed


def test_another_may_be_whom_the_outcome_is_compared_with():
    right = Runner("right", [1.0], [], made=("x", "y"))
    standings = hold([Runner("fast", [1.0], []), right], 1, equal, judge="right")
    assert [one.agreement for one in standings] == [0.0, 1.0]


def test_who_cannot_take_part_is_shown_with_the_reason():
    absent = Runner("absent", [], [], problem="it is not installed")
    here = Runner("here", [1.0], [])
    standings = hold([here, absent], 1, equal, quality=lambda lap: 12.5)
    assert "it is not installed" in standings[1].problem and standings[1].ratios == ()
    rows = Result("A title", "texts", "equal", standings, quality="BLEU").rows()
    assert rows[0]["texts/s"] == "10" and rows[0]["BLEU"] == "12.50" and rows[0]["equal"] == "1"
    assert rows[1]["how"].startswith("not available: ") and "ratio" not in rows[1]
    assert absent.closed


def test_without_the_reference_there_is_no_contest():
    absent = Runner("absent", [], [], problem="it is not installed")
    here = Runner("here", [1.0], [])
    with pytest.raises(NotAvailable, match="the reference 'absent'.*not installed"):
        hold([absent, here], 1, equal)
    assert here.closed


def test_who_fails_in_the_midst_leaves_and_the_others_go_on():
    class Failing(Runner):
        def lap(self):
            if self._laps == 1:
                raise NotAvailable("memory")
            return super().lap()

    failing, here = Failing("failing", [1.0] * 3, []), Runner("here", [1.0] * 3, [])
    standings = hold([here, failing, Runner("third", [2.0] * 3, [])], 3, equal)
    assert standings[1].problem is not None and standings[1].ratios == ()
    assert failing.closed
    assert standings[0].ratios == (1.0,) * 3 and standings[2].ratios == (0.5,) * 3
    with pytest.raises(NotAvailable, match="the reference 'failing'"):
        hold([Failing("failing", [1.0] * 3, []), Runner("here", [1.0] * 3, [])], 2, equal)
