"""Who may do what to whose run: asked in the store itself, whatever handler calls it."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from mtlab import InputError, NotAvailable, RunSpec
from mtlab.access import Gate, GuardedLab, Person
from mtlab.access.people import VISITOR
from mtlab.experiments import grid_of
from mtlab.lab import Lab
from mtlab.runs.store import RunStore

ALICE, BOB = Person("alice", may_launch=True), Person("bob", may_launch=True)
ROOT = Person("root", may_launch=True, is_admin=True)
LISTED_NOWHERE = Person("carol")
SPEC = RunSpec(size=8, train=("de-en",), test_limit=4, metrics=("bleu",))


class Asked:
    """People of a test: whoever is asking is set from outside."""

    kind, how = "file", "sign in"

    def __init__(self):
        self.now = VISITOR

    def who(self, request):
        assert request == "the request"
        return self.now


@pytest.fixture
def make(home, monkeypatch):
    labs = []

    def made(**door):
        people = Asked()
        settings = replace(home, door=replace(home.door, **door))
        lab = GuardedLab(settings, Gate(people, lambda: "the request"))
        monkeypatch.setattr(lab.supervisor, "start", lambda: None)
        labs.append(lab)
        return lab, people

    yield made
    for lab in labs:
        lab.close()


@pytest.fixture
def lab(make):
    return make()[0]


def launched_by(lab, person, **changes):
    lab.gate.people.now = person
    return lab.launch(SPEC.with_changes(**changes))


def stopped(lab, run):
    """Ended by the machine's own user, so that it can be resumed."""
    RunStore(lab._plain).request_stop(run.id)
    return run


@pytest.mark.parametrize(
    ("person", "is_expected"), [(ALICE, True), (VISITOR, False), (LISTED_NOWHERE, False)]
)
def test_nothing_stands_ready_for_those_who_may_only_look(lab, monkeypatch, person, is_expected):
    expected = []
    monkeypatch.setattr(lab.supervisor, "expect", expected.append)
    lab.gate.people.now = person
    lab.expect(SPEC)
    assert expected == ([SPEC] if is_expected else [])


ACTS = {
    "stop": lambda lab, run: run.stop(),
    "discard": lambda lab, run: run.stop(keep=False),
    "delete": lambda lab, run: run.delete(),
    "resume": lambda lab, run: stopped(lab, run).resume(),
    "move to the front": lambda lab, run: run.move("front"),
    "move up": lambda lab, run: run.move("up"),
    "move down": lambda lab, run: run.move("down"),
    "discard in the store": lambda lab, run: lab.store.discard(run.id),
    "sweep it again": lambda lab, run: (stopped(lab, run), lab.enqueue(grid_of(SPEC, {}, (0,)))),
}
OWNERS_MAY_NOT = ("move to the front", "move up")


def outcome(lab, run):
    there = lab.store.find(run.id)
    return (lab.run(run.id).status().state if there else "gone", lab.store.database.queue())


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("person", [VISITOR, LISTED_NOWHERE, BOB])
def test_neither_a_visitor_nor_another_person_changes_a_run(lab, act, person):
    run = launched_by(lab, ALICE)
    if act in ("resume", "sweep it again"):
        stopped(lab, run)
    lab.gate.people.now = ROOT
    lab.launch(SPEC.with_changes(seed=5))
    before = outcome(lab, run)
    lab.gate.people.now = person
    doing = {"resume": lambda: run.resume(), "sweep it again": lambda: lab.enqueue(
        grid_of(SPEC, {}, (0,)))}.get(act, lambda: ACTS[act](lab, run))  # fmt: skip
    with pytest.raises(
        InputError, match="alice|administrator|signed in|look and translate"
    ) as said:
        doing()
    assert outcome(lab, run) == before
    assert str(said.value).count("\n") == 0 and str(said.value).endswith(".")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("person", [ALICE, ROOT])
def test_its_owner_and_an_administrator_do(lab, act, person):
    run = launched_by(lab, ALICE)
    other = launched_by(lab, ROOT, seed=5)
    if act in OWNERS_MAY_NOT:
        run = other
        if person is ALICE:
            lab.gate.people.now = person
            pytest.raises(InputError, launched_by(lab, person, seed=6).move, act.split()[-1])
            return
    before = outcome(lab, run)
    lab.gate.people.now = person
    ACTS[act](lab, run)
    if act in ("resume", "sweep it again"):
        assert lab.run(run.id).status().state == "queued"
    else:
        assert outcome(lab, run) != before


@pytest.mark.parametrize("person", [VISITOR, LISTED_NOWHERE])
def test_a_visitor_launches_nothing_and_looks_at_all(lab, person):
    run = launched_by(lab, ALICE)
    lab.gate.people.now = person
    for launch in (
        lambda: lab.launch(SPEC.with_changes(seed=1)),
        lambda: lab.enqueue(grid_of(SPEC, {}, (1, 2))),
        lambda: lab.sweep(grid_of(SPEC, {}, (3,))).run(),
        lambda: lab.store.create(SPEC),
    ):
        try:
            launch()
        except InputError as error:
            assert "sign in" in str(error)
    assert [one.id for one in lab.runs()] == [run.id]
    assert lab.preview(SPEC).counts and lab.run(run.id).summary()["state"] == "queued"


def test_the_owner_is_whoever_the_server_knows_it_is(lab):
    assert launched_by(lab, ALICE).status().owner == "alice"
    lab.gate.people.now = BOB
    (run,) = lab.enqueue(grid_of(SPEC, {}, (4,)))
    assert run.status().owner == "bob"
    run.stop()
    run.resume()
    assert run.status().owner == "bob"
    free = Lab(lab._plain)
    free.supervisor.start = lambda: None
    own = free.launch(SPEC.with_changes(seed=9))
    assert own.status().owner is None
    with pytest.raises(InputError, match="stopped by its owner or an administrator"):
        lab.run(own.id).stop()
    own.stop()


def test_a_sweep_that_holds_somebody_elses_run_is_refused_whole(lab):
    own = launched_by(lab, BOB, seed=1)
    RunStore(lab._plain).request_stop(own.id)
    others = launched_by(lab, ALICE, seed=2)
    RunStore(lab._plain).request_stop(others.id)
    lab.gate.people.now = BOB
    with pytest.raises(InputError, match=f"run {others.id} is resumed by 'alice'"):
        lab.enqueue(grid_of(SPEC, {}, (1, 2, 3)))
    assert {run.status().state for run in lab.runs()} == {"stopped"}
    lab.enqueue(grid_of(SPEC, {}, (1, 3)))
    assert own.status().state == "queued" and len(lab.runs()) == 3


@pytest.mark.parametrize("asked", [{"executor": "ray"}, {"address": "10.0.0.1:6379"}, {"gpus": 1}])
def test_a_cluster_is_not_named_over_the_network(lab, asked):
    with pytest.raises(InputError, match="^executor: a cluster cannot be named over the network"):
        lab.sweep(grid_of(SPEC, {}, (1,)), **asked)


def test_one_person_has_so_many_runs_and_the_others_theirs(make):
    lab, people = make(max_queued_each=2)
    for seed in range(2):
        launched_by(lab, ALICE, seed=seed)
    with pytest.raises(NotAvailable, match="2 of your runs wait or run, and 1 more would be over"):
        launched_by(lab, ALICE, seed=2)
    with pytest.raises(NotAvailable, match="0 of your runs wait or run, and 3 more"):
        people.now = BOB
        lab.enqueue(grid_of(SPEC, {}, (3, 4, 5)))
    launched_by(lab, BOB, seed=6)
    for seed in range(7, 11):
        launched_by(lab, ROOT, seed=seed)
    assert len(lab.runs()) == 7


def test_size_model_and_disk_have_limits(make):
    lab, _ = make(max_pairs=16, max_model_millions=100)
    with pytest.raises(InputError, match="size: 17 pairs are more .*: give 16 at most"):
        launched_by(lab, ROOT, size=17)
    with pytest.raises(InputError, match="base: a model of 6,738 million parameters is larger"):
        launched_by(lab, ROOT, base="llama-2-7b")
    with pytest.raises(InputError, match="size: 32 pairs"):
        lab.enqueue(grid_of(SPEC, {"size": (8, 32)}, (0,)))
    lab, _ = make(min_free_mb=10**9)
    with pytest.raises(NotAvailable, match="the lab's disk has .* MB left"):
        launched_by(lab, ROOT)
    assert lab.runs() == []


def test_launches_at_the_same_instant_keep_to_the_limit(make, monkeypatch):
    lab, people = make(max_queued_each=2)
    people.now = ALICE
    plain = RunStore.create_all

    def slow(self, runs):
        time.sleep(0.2)
        return plain(self, runs)

    monkeypatch.setattr(RunStore, "create_all", slow)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(lab.launch, SPEC.with_changes(seed=seed)) for seed in range(4)]
    refused = [one.exception() for one in asked if one.exception()]
    assert len(lab.runs()) == 2 and [type(one) for one in refused] == [NotAvailable] * 2
