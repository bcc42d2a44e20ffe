"""Labels say what tells rows apart, and nothing of what is not there."""

from mtlab.results.labels import told_apart

NAN = float("nan")


def test_two_that_belong_to_no_sweep_are_alike():
    rows = [{"group": float("nan")}, {"group": float("nan")}, {"group": None}]
    assert told_apart(["a"] * 3, rows, ["group"]) == ["a"] * 3


def test_one_of_a_sweep_is_told_from_one_of_none():
    rows = [{"group": "sizes"}, {"group": NAN}]
    assert told_apart(["a", "a"], rows, ["group"]) == ["a, sweep sizes", "a, no sweep"]


def test_what_is_shown_beside_a_label_tells_apart_by_itself():
    rows = [{"group": "one", "size": 16}, {"group": "two", "size": 32}]
    assert told_apart(["a", "a"], rows, ["group"], ["size"]) == ["a", "a"]
