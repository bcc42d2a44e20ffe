from dataclasses import replace

import pytest

from mtlab.errors import InputError
from mtlab.results.showing import LONGEST_TEXT, begin
from mtlab.spec import Direction

DE_EN = Direction.parse("de-en")
THREE = [("nano, untuned", "base:nano"), ("mine", "run1"), ("yours", "run2")]


def answered(showing, stages=("done", "done", "done")):
    for number, stage in enumerate(stages):
        answer = replace(showing.answers[number], stage=stage, text=f"text {number}")
        showing = showing.with_answer(number, answer)
    return showing


def shown(stages=("done", "done", "done")):
    return answered(begin(" Ja. ", DE_EN, THREE).blinded(), stages)


def test_names_are_hidden_and_the_order_is_of_chance_only_in_a_blind_showing():
    def backwards(items):
        items.reverse()

    seen = begin(" Ja. ", DE_EN, THREE)
    assert [one.system for one in seen.answers] == ["base:nano", "run1", "run2"]
    assert seen.source == "Ja." and not seen.hides_names and not seen.can_be_voted_on
    blind = seen.blinded(backwards)
    assert [one.system for one in blind.answers] == ["run2", "run1", "base:nano"]
    assert (
        blind.hides_names and not blind.can_be_voted_on and begin("Ja.", DE_EN, THREE).id != seen.id
    )
    orders = {tuple(one.system for one in seen.blinded().answers) for _ in range(200)}
    assert len(orders) == 6


def test_a_vote_names_what_was_shown_and_tells_the_names():
    showing = shown()
    assert showing.can_be_voted_on and showing.choices == ("A", "B", "C", "tie", "all bad")
    after, vote = showing.vote("B", "someone")
    assert after.choice == "B" and not after.hides_names
    assert vote.chosen.system == showing.answers[1].system and vote.chosen.answer == "text 1"
    assert (vote.id, vote.direction, vote.source) == (showing.id, "de-en", "Ja.")
    assert vote.visitor == "someone" and len(vote.systems) == 3


@pytest.mark.parametrize("choice", ["D", "", "base:nano", "a", None, 0])
def test_only_what_was_shown_can_be_voted_for(choice):
    with pytest.raises(InputError, match="is not a choice: use A, B, C, tie, all bad"):
        shown().vote(choice, None)


def test_nothing_is_voted_on_twice_too_early_or_with_the_names_seen():
    voted, _ = shown().vote("tie", None)
    seen = answered(begin("Ja.", DE_EN, THREE))
    for showing in (voted, shown(stages=("done", "decoding")), seen):
        with pytest.raises(InputError, match="nothing to vote on"):
            showing.vote("A", None)


def test_a_system_that_failed_is_not_voted_for_and_two_must_be_left():
    showing = shown(stages=("done", "failed", "done"))
    assert showing.choices == ("A", "C", "tie", "all bad")
    _, vote = showing.vote("C", None)
    assert vote.systems[1].answer is None and vote.chosen == vote.systems[2]
    alone = shown(stages=("done", "failed", "failed"))
    assert not alone.can_be_voted_on and not alone.hides_names


@pytest.mark.parametrize(
    ("text", "systems", "says"),
    [
        ("  ", THREE, "Text: nothing is typed"),
        (None, THREE, "Text: nothing is typed"),
        ("x" * (LONGEST_TEXT + 1), THREE, "1,001 characters are too many: give 1,000"),
        ("\ud800", THREE, "halves of characters"),
        ("Ja.", [], "no system is chosen"),
        ("Ja.", THREE * 2, "6 systems are too many: choose 4"),
    ],
)
def test_what_cannot_be_shown_is_said(text, systems, says):
    with pytest.raises(InputError, match=says):
        begin(text, DE_EN, systems)


def test_a_reference_is_checked_and_one_system_is_not_compared():
    with pytest.raises(InputError, match="Reference: 2,000 characters are too many"):
        begin("Ja.", DE_EN, THREE, reference="x" * 2000)
    with pytest.raises(InputError, match="one system cannot be compared"):
        begin("Ja.", DE_EN, THREE[:1]).blinded()
