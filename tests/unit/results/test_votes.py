import json
import math
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from mtlab.errors import NotAvailable
from mtlab.results.sign_test import sign_test
from mtlab.results.votes import ALL_BAD, TIE, Candidate, Vote, Votes, summed


def vote(choice, *systems, **changes):
    shown = tuple(
        Candidate(name, name.upper(), changes.get(name, f"answer of {name}")) for name in systems
    )
    return Vote(secrets.token_hex(4), "de-en", "Ja.", shown, choice)


def test_the_sign_test_is_the_exact_binomial_one():
    # R: binom.test(8, 10): p = 0.1094, 95% interval 0.4439 to 0.9748
    found = sign_test(8, 2)
    assert found.p_value == pytest.approx(2 * (1 + 10 + 45) / 1024)
    assert (found.low, found.high) == pytest.approx((0.4439045, 0.9747893), abs=1e-6)
    assert found.share == 0.8
    other = sign_test(2, 8)
    assert other.p_value == found.p_value
    assert (other.low, other.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_the_sign_test_at_its_ends():
    nothing = sign_test(0, 0)
    assert (nothing.p_value, nothing.share, nothing.low, nothing.high) == (1.0, None, 0.0, 1.0)
    all_won = sign_test(5, 0)
    assert all_won.p_value == 2 / 32 and all_won.high == 1.0
    assert all_won.low == pytest.approx(0.025 ** (1 / 5))
    assert sign_test(3, 3).p_value == 1.0
    many = sign_test(1100, 900)
    normal = math.erfc((100 - 0.5) / math.sqrt(2000 / 4) / math.sqrt(2))
    assert many.p_value == pytest.approx(normal, rel=0.03)
    assert (many.low, many.high) == pytest.approx((0.5282, 0.5718), abs=5e-4)


def test_votes_are_summed_by_pair_and_the_better_stands_first():
    votes = [
        vote("B", "a", "b"),
        vote("A", "b", "a"),
        vote("A", "a", "b"),
        vote(TIE, "b", "a"),
        vote(ALL_BAD, "a", "b"),
    ]
    (pair,) = summed(votes)
    assert (pair.one, pair.other, pair.names) == ("b", "a", ("B", "A"))
    assert (pair.wins, pair.losses, pair.ties, pair.bad, pair.votes) == (2, 1, 1, 1, 5)
    assert pair.test == sign_test(2, 1)
    assert pair.sentence() == (
        "B was preferred to A in 2 of 3 decided votes: no difference is shown (p = 1.000)."
    )
    (clear,) = summed([vote("A", "a", "b")] * 12)
    assert clear.sentence() == (
        "A was preferred to B in 12 of 12 decided votes: more often than by chance (p < 0.001)."
    )
    (open_,) = summed([vote(TIE, "a", "b")])
    assert open_.sentence() == "Between A and B no vote was decided."


def test_the_best_of_three_says_nothing_of_the_other_two():
    pairs = {(pair.one, pair.other): pair for pair in summed([vote("C", "a", "b", "c")])}
    assert set(pairs) == {("c", "a"), ("c", "b")}
    tied = summed([vote(TIE, "a", "b", "c")])
    assert [(pair.one, pair.other, pair.ties) for pair in tied] == [
        ("a", "b", 1), ("a", "c", 1), ("b", "c", 1),
    ]  # fmt: skip


def test_answers_that_are_the_same_are_a_tie_and_none_is_no_loss():
    (same,) = summed([vote("A", "a", "b", a="Yes.", b="Yes.")])
    assert (same.wins, same.losses, same.ties) == (0, 0, 1)
    assert summed([vote("A", "a", "b", b=None)]) == []


def test_what_is_kept_is_read_again(tmp_path):
    votes = Votes(tmp_path)
    assert votes.read() == []
    kept = [vote("A", "a", "b"), vote(ALL_BAD, "c", "a", c="Grüße\n{{x}}")]
    for one in kept:
        votes.add(one)
    assert votes.read() == kept
    first = json.loads(votes.path.read_text(encoding="utf-8").splitlines()[0])
    assert first == {
        "id": kept[0].id, "time": kept[0].time, "direction": "de-en", "source": "Ja.",
        "systems": [
            {"system": "a", "name": "A", "answer": "answer of a"},
            {"system": "b", "name": "B", "answer": "answer of b"},
        ],
        "choice": "A", "visitor": None,
    }  # fmt: skip


def test_votes_of_elsewhere_are_taken_in_once_in_the_order_of_their_time(tmp_path):
    here, there = Votes(tmp_path), Votes(tmp_path / "copy")
    there.path.parent.mkdir()
    early, both, late = (replace(vote("A", "a", "b"), time=float(when)) for when in (1, 2, 3))
    for votes, kept in ((here, (late, both)), (there, (early, both))):
        for one in kept:
            votes.add(one)
    for _ in range(2):
        here.take_in(there.read())
    assert here.read() == [early, both, late]
    assert len(here.path.read_text().splitlines()) == 3
    here.add(early)  # as when two processes take in the same at once
    assert here.read() == [early, both, late]


def test_a_torn_line_costs_that_vote_alone(tmp_path):
    votes = Votes(tmp_path)
    votes.add(vote("A", "a", "b"))
    with votes.path.open("ab") as file:
        file.write(json.dumps(vote("B", "a", "b").to_json()).encode()[:70])
    assert len(votes.read()) == 1
    votes.add(vote("B", "a", "b"))
    assert [one.choice for one in votes.read()] == ["A", "B"]


@pytest.mark.parametrize(
    "damage", [{"choice": "C"}, {"choice": 3}, {"systems": 1}, {"systems": [{}]}, {"time": None}]
)
def test_a_line_that_is_no_vote_is_passed_over(tmp_path, damage):
    votes = Votes(tmp_path)
    votes.path.write_text(json.dumps({**vote("A", "a", "b").to_json(), **damage}) + "\n")
    assert votes.read() == []


def test_many_may_vote_at_once(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Votes(tmp_path).add(vote("A", "a", "b")), range(64)))
    assert len(Votes(tmp_path).read()) == 64


def test_a_home_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(NotAvailable, match="votes.jsonl cannot be written"):
        Votes(tmp_path / "nowhere").add(vote("A", "a", "b"))
