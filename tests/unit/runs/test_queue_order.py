"""The order of the queue: how runs are moved in it, and what it survives."""

import json

import pytest

from mtlab.cli import main
from mtlab.errors import InputError
from mtlab.runs.store import RunStore


@pytest.fixture
def four(store, spec):
    """Four queued runs, in their order."""
    return [store.create(spec).id for _ in range(4)]


@pytest.mark.parametrize(
    ("run", "where", "order"),
    [
        (2, "front", [2, 0, 1, 3]),
        (0, "front", [0, 1, 2, 3]),
        (1, "back", [0, 2, 3, 1]),
        (3, "back", [0, 1, 2, 3]),
        (2, "up", [0, 2, 1, 3]),
        (0, "up", [0, 1, 2, 3]),
        (1, "down", [0, 2, 1, 3]),
        (3, "down", [0, 1, 2, 3]),
    ],
)
def test_each_move(store, four, run, where, order):
    store.move(four[run], where)
    assert store.database.queue() == [four[place] for place in order]
    store.database.path.unlink()
    again = RunStore(store.settings)
    assert again.database.queue() == [four[place] for place in order], "the folders know it too"


def test_moves_one_after_the_other(store, four):
    for _ in range(3):
        store.move(four[3], "up")
    store.move(four[0], "front")
    store.move(four[1], "front")
    store.move(four[1], "down")
    assert store.database.queue() == [four[0], four[1], four[3], four[2]]


def test_moving_past_another_priority(store, spec):
    low, high = store.create(spec).id, store.create(spec, priority=5).id
    assert store.database.queue() == [high, low]
    store.move(low, "up")
    assert store.database.queue() == [low, high]
    store.move(low, "down")
    store.move(low, "front")
    assert store.database.queue() == [low, high]
    later = store.create(spec).id
    assert store.database.queue() == [low, high, later]


def test_a_new_run_and_a_resumed_one_go_to_the_back(store, spec, four):
    store.move(four[0], "back")
    store.request_stop(four[1])
    new = store.create(spec).id
    store.requeue(four[1])
    assert store.database.queue() == [four[2], four[3], four[0], new, four[1]]


def test_a_clock_set_back_does_not_let_the_new_pass_the_old(store, spec, four, monkeypatch):
    monkeypatch.setattr("mtlab.runs.database.time.time", lambda: 1e9)
    new = [store.create(spec).id for _ in range(2)]
    assert store.database.queue() == [*four, *new]


@pytest.mark.parametrize(
    ("state", "where", "says"),
    [
        ("finished", "up", "run .* is finished: only a queued run is moved"),
        ("queued", "sideways", "where: there is no place 'sideways' in the queue: use front, up"),
    ],
)
def test_what_cannot_be_moved(store, four, state, where, says):
    store.write_status(four[0], store.status(four[0]).with_changes(state=state))
    store.index.mend(four[0])
    with pytest.raises(InputError, match=says):
        store.move(four[0], where)
    with pytest.raises(InputError, match="there is no run"):
        store.move("20200101-000000-0000", "up")


def test_the_labs_queue(lab):
    from mtlab.experiments import Experiment

    spec = {"base": "nano", "train": ["de-en"], "size": 4, "metrics": ["chrf"]}
    one, two, three = lab.enqueue(
        Experiment("q", spec, {}, ({"label": "a"}, {"base": "run:@a"}, {"seed": 5}))
    )
    three.move("front")
    assert [run.id for run in lab.queue()] == [three.id, one.id, two.id]
    assert two.waits_for() == (one.id,) and one.waits_for() == ()
    one.stop(keep=False)
    assert [run.id for run in lab.queue()] == [three.id, two.id]


def test_the_command_line_shows_and_changes_the_order(lab, spec, capsys):
    first, second = (lab.store.create(spec).id for _ in range(2))
    assert main(["runs", "queue", "--json"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert [row["id"] for row in json.loads(last)["queue"]] == [first, second]
    assert main(["runs", "move", second, "front"]) == 0
    shown = capsys.readouterr().out
    assert shown.index(second) < shown.index(first) and "waits for" in shown
    assert main(["runs", "move", second, "aside"]) == 2
    assert "use front, up, down, back" in capsys.readouterr().err
    for run in (first, second):
        lab.run(run).stop(keep=False)
    assert main(["runs", "queue"]) == 0 and "no run waits" in capsys.readouterr().out
