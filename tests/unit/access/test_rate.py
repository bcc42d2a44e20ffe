import pytest

from mtlab.access import rate
from mtlab.access.rate import Pace
from mtlab.errors import NotAvailable


def test_so_many_at_once_then_at_an_even_pace_and_each_for_themselves():
    now = [0.0]
    pace = Pace(3, 60, "calls", lambda: now[0])
    for _ in range(3):
        pace.take("one")
    with pytest.raises(NotAvailable, match=r"\(3 calls in 60 s are allowed\): try again in 20 s"):
        pace.take("one")
    pace.take("other")
    now[0] = 15.0
    with pytest.raises(NotAvailable, match="try again in 5 s"):
        pace.take("one")
    now[0] = 20.0
    pace.take("one")
    with pytest.raises(NotAvailable, match="try again in 20 s"):
        pace.take("one")
    now[0] = 1e6
    for _ in range(3):
        pace.take("one")
    with pytest.raises(NotAvailable):
        pace.take("one")


def test_a_large_share_is_taken_whole_or_not_at_all():
    now = [0.0]
    pace = Pace(100, 10, "bytes", lambda: now[0])
    pace.take("one", 80)
    with pytest.raises(NotAvailable, match="try again in 2 s"):
        pace.take("one", 40)
    pace.take("one", 20)


def test_those_who_went_away_are_forgotten(monkeypatch):
    monkeypatch.setattr(rate, "_REMEMBERED", 100)
    pace = Pace(1, 60)
    for number in range(1000):
        pace.take(str(number))
    assert len(pace._buckets) == 100
