from types import SimpleNamespace

import pytest

from mtlab.errors import NotAvailable
from mtlab.ui.pacing import VisitorPace


def request(page, host="10.0.0.1"):
    return SimpleNamespace(session_hash=page, client=SimpleNamespace(host=host))


def test_many_pages_of_one_address_are_bounded_together():
    pace = VisitorPace()
    for number in range(120):
        pace.take(request(f"page {number}"))
    with pytest.raises(NotAvailable):
        pace.take(request("another page"))
    for _ in range(20):
        pace.take(request("page", host="10.0.0.2"))
    with pytest.raises(NotAvailable):
        pace.take(request("page", host="10.0.0.2"))


def test_the_pace_is_a_setting():
    pace = VisitorPace(1)
    pace.take(request("page"))
    with pytest.raises(NotAvailable, match="1 translations in 60 s are allowed"):
        pace.take(request("page"))
    free = VisitorPace(0)
    for _ in range(200):
        free.take(request("page"))


def test_scoring_has_a_pace_of_its_own():
    pace = VisitorPace()
    for _ in range(10):
        pace.score(request("page"))
    with pytest.raises(NotAvailable):
        pace.score(request("another page"))
    pace.score(request("page", host="10.0.0.2"))
