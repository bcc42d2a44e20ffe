"""Which runs stand for a sweep: written down as it is made, and what is not there tolerated."""

import json
import shutil

import pytest

from mtlab import Lab, RunSpec
from mtlab.errors import InputError
from mtlab.experiments import Experiment
from mtlab.runs.sweep_book import SweepBook
from mtlab.runs.sweep_entries import Entry

SPEC = {"base": "nano", "train": ["de-en"], "metrics": ["chrf"]}
SIZES = Experiment("mine/sizes", SPEC, {"size": [2, 4]}, title="How many")


@pytest.fixture
def lab(home):
    made = Lab(home)
    yield made
    made.close()


@pytest.fixture
def book(store):
    return SweepBook(store)


def ids(records):
    return sorted(record.id for record in records)


def test_a_sweep_knows_the_runs_that_it_found_under_another_name(lab, fake_jobs):
    fake_jobs("quick")
    by_hand = lab.launch(RunSpec(**SPEC, size=4))
    assert by_hand.wait(timeout=30).state == "finished"
    ended = lab.sweep(SIZES).run(limit=1)
    assert ids(lab.book.runs("mine/sizes")) == sorted(one.run for one in ended)
    assert by_hand.id in ids(lab.book.runs("mine/sizes"))
    other = Experiment("other", SPEC, {"size": [2, 4, 8]})
    lab.sweep(other).run(limit=0)
    (first, second) = sorted(lab.sweeps(), key=lambda one: one.name)
    assert (first.name, first.title, first.done, first.total) == ("mine/sizes", "How many", 2, 2)
    assert (second.name, second.done, second.total) == ("other", 2, 3)
    assert second.runs == first.runs
    assert [one.name for one in lab.sweeps()] == ["other", "mine/sizes"], "the newest first"


def test_looking_at_a_sweep_writes_nothing_down(lab):
    lab.sweep(SIZES).standings()
    assert lab.sweeps() == [] and not lab.settings.sweeps.exists()


def test_the_file_says_what_was_asked_for_and_is_made_again_from_it(lab, fake_jobs):
    fake_jobs("quick")
    ended = lab.sweep(SIZES).run(limit=1)
    (path,) = lab.settings.sweeps.glob("*.json")
    assert path.name.startswith("mine-sizes-")
    data = json.loads(path.read_text())
    assert data["runs"] == [ended[0].run, None]
    assert Experiment.from_json(data["experiment"]) == SIZES


def test_folders_deleted_by_hand_are_no_longer_counted(lab, fake_jobs):
    fake_jobs("quick")
    ended = lab.sweep(SIZES).run()
    shutil.rmtree(lab.run(ended[0].run).folder)
    (left,) = lab.sweeps()
    assert (left.done, left.total, left.runs) == (1, 2, (ended[1].run,))
    again = lab.sweep(SIZES).run()
    assert lab.sweeps()[0].done == 2
    assert ids(lab.book.runs("mine/sizes")) == sorted(one.run for one in again)


def test_another_experiment_by_the_same_name_keeps_what_was_made_before(book, store, spec):
    runs = [store.create(spec.with_changes(size=size)).id for size in (4, 8, 16)]
    book.note(SIZES, [runs[0], None])
    book.note(SIZES, [None, runs[1]])
    assert book.entries()[0].runs == (runs[0], runs[1])
    book.note(Experiment("mine/sizes", SPEC, {"size": [4, 16]}), [runs[1], runs[2]])
    (entry,) = book.entries()
    assert entry.runs == (runs[1], runs[2]) and entry.earlier == (runs[0],)
    assert ids(book.runs("mine/sizes")) == sorted(runs)
    assert book.summaries()[0].total == 2


def entry(runs, asked, earlier=(), experiment=SIZES):
    return Entry(experiment.name, experiment.to_json(), runs, earlier, asked)


def test_entries_of_elsewhere_are_joined_and_no_run_of_either_is_lost(book):
    book.note(SIZES, ["here", None])
    (here,) = book.entries()
    book.take_in([entry(("old", "there"), here.asked - 60, ("older",))])
    (joined,) = book.entries()
    assert (joined.runs, joined.asked) == (("here", "there"), here.asked)
    assert set(joined.earlier) == {"old", "older"}
    book.take_in([entry(("old", "there"), here.asked - 60, ("older",)), joined])
    assert book.entries() == [joined]
    other = Experiment("mine/sizes", SPEC, {"size": [8]})
    book.take_in([entry(("new",), here.asked + 60, experiment=other)])
    (joined,) = book.entries()
    assert joined.runs == ("new",) and joined.experiment == other.to_json()
    assert set(joined.earlier) == {"here", "there", "old", "older"}


def test_names_that_are_alike_or_no_file_names_have_files_of_their_own(book, lab):
    names = ["a/b", "a-b", "../../a-b", "A-B", "ü" * 119, ".", "a\nb"]
    for name in names:
        book.note(Experiment(name, SPEC), [name])
    files = [path.resolve() for path in lab.settings.sweeps.iterdir()]
    assert len(files) == len(names)
    assert all(path.parent == lab.settings.sweeps.resolve() for path in files)
    assert {entry.name: entry.runs for entry in book.entries()} == {n: (n,) for n in names}


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}', '{"name": 1, "runs": [], "asked": 0}'])
def test_a_file_that_somebody_spoilt_is_no_sweep_and_is_written_again(book, lab, text):
    book.note(SIZES, ["one", None])
    (path,) = lab.settings.sweeps.glob("*.json")
    path.write_text(text)
    assert book.entries() == [] and book.runs("mine/sizes") == []
    book.note(SIZES, [None, "two"])
    assert book.entries()[0].runs == (None, "two")


def test_groups_that_were_never_written_down_are_sweeps_too(book, store, spec):
    made = [store.create(spec.with_changes(group="old", size=size)).id for size in (4, 8)]
    store.create(spec)
    (only,) = book.summaries()
    assert (only.name, only.done, only.total, only.runs) == ("old", 0, 2, tuple(sorted(made)))
    assert book.names() == ["old"]


def test_a_report_on_a_group_that_is_not_there_names_those_that_are(lab):
    lab.book.note(SIZES, [None, None])
    with pytest.raises(InputError, match="no group 'mine'") as caught:
        lab.report(groups=["mine"])
    assert "mine/sizes" in caught.value.fix
