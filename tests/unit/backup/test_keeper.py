"""Runs copied away and brought back, through a folder and through a stand-in of the hub."""

import json
import shutil
import time
from dataclasses import replace

import pytest
from huggingface_hub import HfApi

from mtlab.backup import DatasetPlace, FolderPlace, Keeper, keeper, keeper_for
from mtlab.errors import NotAvailable
from mtlab.experiments import Experiment
from mtlab.results.votes import Candidate, Vote, Votes
from mtlab.runs.store import RunStore
from mtlab.runs.sweep_book import SweepBook
from tests.hub_stand_in import HubStandIn
from tests.written_runs import written_home

SWEPT = {"base": "nano", "train": ["de-en"], "metrics": ["chrf"]}


@pytest.fixture(params=["folder", "dataset"])
def place(request, tmp_path, monkeypatch):
    if request.param == "folder":
        yield FolderPlace(tmp_path / "mounted" / "runs")
        return
    with HubStandIn() as hub:
        token = hub.person("ann")
        hub.patch(monkeypatch, token)
        yield DatasetPlace("ann/runs", HfApi(hub.address, token=token))


@pytest.fixture
def home(tmp_path):
    with written_home(tmp_path / "home") as written:
        yield written


def keeper_of(settings, place):
    """A keeper over a home, as it starts."""
    made = Keeper(RunStore(replace(settings, backup="somewhere/else")), place)
    made.look_at_home()
    return made


def empty(settings, tmp_path, name="other"):
    return replace(settings, home=tmp_path / name)


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_ended_runs_come_back_to_an_empty_home_without_checkpoints(home, place, tmp_path):
    finished = home.run(bleu={"de-en": 12.5})
    stopped = home.run(state="stopped")
    for state in ("failed", "queued", "interrupted"):
        home.run(state=state)
    whole = files_of(home.folder(finished))
    for name in ("checkpoint-4/weights.pt", ".status.json.x.tmp", "stop.json"):
        path = home.folder(finished) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("not copied")
    (home.folder(finished) / "adapter").mkdir()
    (home.folder(finished) / "adapter" / "a.safetensors").write_bytes(b"weights")
    keeper_of(home.settings, place).round()
    assert place.runs() == {finished, stopped}

    there = keeper_of(empty(home.settings, tmp_path), place)
    there.round()
    store = there.store
    assert [record.id for record in store.list()] == [stopped, finished]
    assert files_of(store.folder(finished)) == {**whole, "adapter/a.safetensors": b"weights"}
    store.index.synchronise()
    assert store.database.states() == {finished: "finished", stopped: "stopped"}
    assert sorted(path.name for path in store.settings.runs.iterdir()) == [finished, stopped]


def test_a_run_that_has_changed_is_copied_again_and_no_other(home, place, tmp_path, monkeypatch):
    runs = [home.run(state="stopped"), home.run()]
    keeps = keeper_of(home.settings, place)
    keeps.round()
    puts = []
    whole = place.put
    monkeypatch.setattr(place, "put", lambda *words: (puts.append(words[0]), whole(*words)))
    keeps.round()
    assert puts == []
    home.finish(runs[0], {"de-en": 20.0})
    keeps.round()
    assert puts == [runs[0]]
    there = keeper_of(empty(home.settings, tmp_path), place)
    there.round()
    assert there.store.status(runs[0]).state == "finished"
    assert puts == [runs[0]], "what came back is not copied again"


def test_what_is_deleted_does_not_come_back(home, place, tmp_path):
    gone, kept = home.run(), home.run()
    keeps = keeper_of(home.settings, place)
    keeps.round()
    keeps.store.delete(gone)
    keeps.round()
    assert place.runs() == {kept}
    keeps.store.delete(kept)  # and the app ends before the next round
    again = keeper_of(home.settings, place)
    again.round()
    assert place.runs() == set() and not list(again.store.list())
    assert not list(home.settings.home.joinpath("forgotten").iterdir())


def test_a_home_with_runs_is_left_as_it_is(home, place, tmp_path):
    runs = [home.run(), home.run()]
    keeps = keeper_of(home.settings, place)
    keeps.round()
    other, copy = "20250101-000000-0000", tmp_path / "copy"
    shutil.copytree(home.folder(runs[0]), copy)
    status = json.loads((copy / "status.json").read_text())
    (copy / "status.json").write_text(json.dumps({**status, "id": other}))
    place.put(other, copy)
    keeper_of(home.settings, place).round()
    assert {record.id for record in keeps.store.list()} == set(runs)


def test_a_return_that_was_cut_short_is_finished(home, place, tmp_path, monkeypatch):
    runs = {home.run(), home.run(), home.run()}
    keeper_of(home.settings, place).round()
    other = empty(home.settings, tmp_path)
    whole = place.fetch
    with monkeypatch.context() as patch:
        calls = iter((whole, whole))

        def fetch(*words):
            next(calls)(*words)

        patch.setattr(place, "fetch", fetch)
        with pytest.raises(StopIteration):
            keeper_of(other, place).round()
    later = keeper_of(other, place)
    assert len(list(later.store.list())) == 2
    later.round()
    assert {record.id for record in later.store.list()} == runs


def test_what_is_no_whole_run_stays_there(home, place, tmp_path):
    run = home.run()
    place.open()
    (home.folder(run) / "status.json").unlink()
    place.put(run, home.folder(run))
    there = keeper_of(empty(home.settings, tmp_path), place)
    there.round()
    assert not list(there.store.settings.runs.iterdir()) and place.runs() == {run}


def vote(id):
    return Vote(id, "de-en", "Ja.", (Candidate("a", "A", "Yes."), Candidate("b", "B", "Aye.")), "A")


def kept_by(keeper):
    """The votes and sweeps of a keeper's home."""
    votes = Votes(keeper.store.settings.home).read()
    return [one.id for one in votes], {one.name: one for one in keeper.book.entries()}


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(keeper, "NOTES_SECONDS", 0.0)


def written_down(settings, place, votes, sweeps):
    """A keeper over a home with these votes, and runs for the steps of these sweeps."""
    made = keeper_of(settings, place)
    made.book = SweepBook(made.store)
    for id in votes:
        Votes(settings.home).add(vote(id))
    for name, runs in sweeps.items():
        made.book.note(Experiment(name, SWEPT, {"size": [2, 4]}), runs)
    return made


def test_votes_and_sweeps_come_back_to_an_empty_home(home, place, tmp_path, at_once):
    keeps = written_down(
        home.settings, place, ["v1", "v2"], {"a/b": ["r1", None], "c": ["r2", "r3"]}
    )
    keeps.round()
    there = written_down(empty(home.settings, tmp_path), place, [], {})
    there.round()
    assert kept_by(there) == kept_by(keeps) and len(kept_by(there)[1]) == 2


def test_what_was_written_down_before_the_copies_are_back_is_not_lost(
    home, place, tmp_path, at_once
):
    home.run()
    written_down(home.settings, place, ["v1", "v2"], {"a": ["r1", None], "b": ["r2", None]}).round()
    newer = {"a": [None, "r3"], "c": ["r4", None]}
    there = written_down(empty(home.settings, tmp_path), place, ["v3"], newer)
    there.round()
    votes, sweeps = kept_by(there)
    assert votes == ["v1", "v2", "v3"]
    assert {name: one.runs for name, one in sweeps.items()} == {
        "a": ("r1", "r3"), "b": ("r2", None), "c": ("r4", None),
    }  # fmt: skip
    last = written_down(empty(home.settings, tmp_path, "last"), place, [], {})
    last.round()
    assert kept_by(last) == (votes, sweeps), "all of it was copied away again"


def test_a_home_that_has_lost_its_votes_takes_none_from_the_copy(home, place, tmp_path, at_once):
    home.run()
    keeps = written_down(home.settings, place, ["v1"], {})
    keeps.round()
    Votes(home.settings.home).path.unlink()
    written_down(home.settings, place, ["v2"], {}).round()
    there = written_down(empty(home.settings, tmp_path), place, [], {})
    there.round()
    assert kept_by(there)[0] == ["v1", "v2"]


def test_votes_are_copied_once_a_minute_and_only_where_there_are_new_ones(home, place, monkeypatch):
    keeps, puts = written_down(home.settings, place, ["v1"], {}), []
    monkeypatch.setattr(
        place, "put_notes", lambda folder: puts.append((folder / "votes.jsonl").read_text())
    )
    keeps.round()
    Votes(home.settings.home).add(vote("v2"))
    keeps.round()
    assert len(puts) == 1 and "v1" in puts[0]
    monkeypatch.setattr(keeper, "NOTES_SECONDS", 0.0)
    keeps.round()
    keeps.round()
    assert len(puts) == 2 and "v2" in puts[1]


def until(holds):
    for _ in range(400):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen within 20 seconds")


def test_the_app_copies_by_itself_and_says_what_keeps_it(home, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(keeper, "AGAIN_SECONDS", 0.05)
    assert keeper_for(home.settings) is None
    target = tmp_path / "disk"
    target.write_text("not mounted")
    run = home.run(state="running")
    keeps = keeper_for(replace(home.settings, backup=str(target)))
    keeps.start()
    try:
        until(lambda: keeps.problem)
        assert isinstance(keeps.problem, NotAvailable)
        target.unlink()
        until(lambda: keeps.problem is None)
        assert keeps.place.runs() == set()
        home.finish(run, {"de-en": 3.0})
        until(lambda: keeps.place.runs() == {run})
    finally:
        keeps.stop()
    said = capfd.readouterr().err
    assert said.count(f"mtlab: finished runs and votes are not copied to {target}") == 1
