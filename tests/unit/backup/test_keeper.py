"""Runs copied away and brought back, through a folder and through a stand-in of the hub."""

import json
import shutil
import time
from dataclasses import replace

import pytest
from huggingface_hub import HfApi

from mtlab.backup import DatasetPlace, FolderPlace, Keeper, keeper, keeper_for
from mtlab.errors import NotAvailable
from mtlab.runs.store import RunStore
from tests.hub_stand_in import HubStandIn
from tests.written_runs import written_home


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
    store.synchronise()
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
    assert said.count(f"mtlab: finished runs are not copied to {target}") == 1
