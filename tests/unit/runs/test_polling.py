"""What a poll of many runs reads, and the mark that tells whether there is anything to read."""

import os
import shutil

import pytest

from mtlab.results import reading
from mtlab.runs import files, folders
from mtlab.runs.files import read_json, write_json
from mtlab.runs.store import RunStore


@pytest.fixture
def reads(monkeypatch):
    """The names of the files that are opened and parsed."""
    seen = []

    def read(path):
        seen.append(path.name)
        return read_json(path)

    for module in (files, folders, reading):
        monkeypatch.setattr(module, "read_json", read)
    return seen


@pytest.fixture
def scored(lab, spec):
    """Twelve finished runs with scores."""
    for number in range(12):
        record = lab.store.create(spec)
        write_json(record.folder / "scores.json", {"scores": {"de-en": {"chrf": number}}})
        lab.store.write_status(
            record.id, lab.store.status(record.id).with_changes(state="finished")
        )
    return lab.runs()


def poll(lab):
    return [(run.status().state, run.scores()) for run in lab.runs()]


def test_a_poll_parses_what_changed_and_nothing_else(lab, scored, reads):
    first = poll(lab)
    reads.clear()
    assert poll(lab) == first and reads == []
    write_json(scored[3].folder / "scores.json", {"scores": {"de-en": {"chrf": 99}}})
    changed = poll(lab)
    assert reads == ["scores.json"]
    assert [place for place in range(12) if changed[place] != first[place]] == [3]
    assert changed[3][1] == {"de-en": {"chrf": 99}}
    shutil.rmtree(scored[0].folder)
    os.unlink(scored[1].folder / "scores.json")
    reads.clear()
    assert poll(lab) == [("finished", {}), *changed[2:]] and reads == []


def test_the_mark_changes_with_what_a_poll_shows(lab, scored, spec):
    def marks():
        seen = [lab.mark() for _ in range(3)]
        assert len(set(seen)) == 1, "nothing changed meanwhile"
        return seen[0]

    seen = [marks()]
    store = lab.store
    new = store.create(spec).id
    seen.append(marks())
    other = store.create(spec).id
    seen.append(marks())
    store.move(other, "front")
    seen.append(marks())
    store.request_stop(new)
    seen.append(marks())
    write_json(scored[3].folder / "scores.json", {"scores": {}})
    seen.append(marks())
    shutil.rmtree(scored[0].folder)
    seen.append(marks())
    store.discard(other)
    seen.append(marks())
    assert len(set(seen)) == len(seen)


def test_a_heartbeat_does_not_change_the_mark(lab, scored):
    run = scored[0]
    running = run.status().with_changes(state="running", pid=os.getpid(), token=None)
    lab.store.write_status(run.id, running)
    before = lab.mark()
    lab.store.write_status(run.id, running.with_changes(heartbeat=5.0, progress=0.5))
    assert lab.mark() == before
    # Its process gone, it runs no longer, whatever is written.
    lab.store.write_status(run.id, running.with_changes(pid=2**22 + 1, started="gone:1"))
    assert lab.mark() != before


def test_a_second_change_within_a_tick_of_the_clock_is_seen(lab, scored, monkeypatch):
    """A file system's clock is coarse: two writes may leave a folder with the same time."""
    run, times = scored[0], (10**18, 10**18)
    monkeypatch.setattr(folders.time, "time_ns", lambda: 10**18 + 1000)
    os.utime(run.folder, ns=times)
    before = lab.mark()
    lab.store.write_status(run.id, run.status().with_changes(state="failed"))
    os.utime(run.folder, ns=times)
    assert lab.mark() != before


def test_marks_of_two_labs_are_never_taken_for_each_other(lab, scored):
    assert RunStore(lab.settings).mark() != lab.mark()
