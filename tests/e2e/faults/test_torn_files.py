"""A torn last line, as a killed process or a power cut leaves it, in every file the lab reads."""

import shutil
from dataclasses import replace

import pytest

from mtlab import Lab
from mtlab.experiments import Experiment
from mtlab.results.votes import Candidate, Vote, Votes
from mtlab.runs.files import write_json, write_lines
from mtlab.settings import Settings
from mtlab.spec import Direction
from tests.e2e.faults.aftermath import check_aftermath
from tests.finished_runs import finished_run

SWEEP = Experiment("mine", {"base": "nano", "train": ["de-en"]}, {"size": [2, 4]})
VOTE = Vote("1", "de-en", "Ja.", (Candidate("a", "A", "Yes."), Candidate("b", "B", "No.")), "A")
ROWS = 4


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A home that holds a file of every kind, and the run that has them."""
    home = Settings.from_environment({"MTLAB_HOME": str(tmp_path_factory.mktemp("whole") / "home")})
    lab = Lab(home)
    run = finished_run(lab.store, {"de-en": 0.2, "en-de": 0.3}, segments=ROWS, size=16)
    finished_run(lab.store, {"de-en": 0.1}, segments=ROWS, size=32)
    log = lab.store.log(run.id)
    log.append("phase", phase="prepare")
    for step in (1, 2, 3):
        log.append("step", step=step, steps=3, loss=1.0 / step)
    log.append("end", state="finished")
    write_lines(run.folder / "train.jsonl", [{"source": "Grüße", "target": "Hi"}] * ROWS)
    write_json(run.folder / "trained.json", {"steps": 3})
    (run.folder / "job.log").write_text("--- attempt 1\nGrüße: all went wëll\n")
    lab.book.note(SWEEP, [run.id, None])
    for number in range(ROWS):
        Votes(home.home).add(replace(VOTE, id=str(number)))
    return home.home, run.id


@pytest.fixture
def whole(template, home):
    """A lab in a home of its own with all of this, and the run."""
    folder, run = template
    shutil.copytree(folder, home.home)
    lab = Lab(home)
    return lab, lab.store.get(run)


def tear(path):
    """Cut the end off, in the middle of a character where the last one has several bytes."""
    data = path.read_bytes().rstrip(b"\n")
    path.write_bytes(data[: -max(1, len(data) // 10)])


def read_everything(lab, run):
    """All that page, command line and reports read of a run and of the home."""
    from mtlab.results.table import runs_frame

    handle = lab.run(run.id)
    frame = runs_frame(lab.store.list())
    return {
        "runs": [one.id for one in lab.runs()],
        "state": handle.status().state,
        "events": [event.kind for event in handle.events()],
        "scores": set(handle.scores()),
        "rows": len(handle.translations("de-en")),
        "table": len(frame),
        "log": handle.log_tail(),
        "votes": len(Votes(lab.settings.home).read()),
        "sweeps": [one.name for one in lab.sweeps()],
        "group": [one.id for one in lab.book.runs("mine")],
        "summary": handle.summary()["state"],
        "report": len(lab.report([run.id]).records) if handle.scores() else None,
    }


TEARS = {
    "runs/*/events.jsonl": {"events": ["phase", "step", "step", "step"]},
    "runs/*/translations/de-en.jsonl": {"rows": ROWS - 1},
    "runs/*/translations/en-de.jsonl": {},
    "runs/*/train.jsonl": {},
    "runs/*/trained.json": {},
    "runs/*/status.json": {},
    "runs/*/scores.json": {"scores": set(), "report": None},
    "runs/*/provenance.json": {},
    "runs/*/job.log": {},
    "votes.jsonl": {"votes": ROWS - 1},
    "sweeps/*.json": {"sweeps": [], "group": []},
}


@pytest.mark.parametrize("name", TEARS)
def test_a_torn_file_costs_what_was_torn_and_nothing_else(whole, name):
    lab, run = whole
    before = read_everything(lab, run)
    [path] = [
        one for one in lab.settings.home.glob(name) if "runs" not in name or run.id in str(one)
    ]
    tear(path)
    fresh = Lab(lab.settings)
    after = read_everything(fresh, run)
    expected = {**before, **TEARS[name]}
    for what in ("table", "log") if name.endswith(("scores.json", "job.log")) else ():
        expected[what] = after[what]
    assert after == expected
    fresh.store.index.synchronise()
    check_aftermath(lab.settings, before["runs"])


def test_every_kind_of_file_is_torn(whole):
    """A file that a later version of the lab reads must be added to the list above."""
    lab, run = whole
    home = lab.settings.home
    found = {str(one.relative_to(home)) for one in home.rglob("*") if one.is_file()}
    named = {str(one.relative_to(home)) for name in TEARS for one in home.glob(name)}
    assert {one for one in found - named if not one.startswith("lab.db")} == {
        f"runs/{one}/spec.json" for one in (path.name for path in home.glob("runs/*"))
    }


def test_what_is_torn_in_the_cache_is_made_again(home):
    from mtlab.decoding import Hypothesis
    from mtlab.noise.translations import Translations
    from mtlab.runs import base_cache

    base_cache.keep_translations(home, "key", [Hypothesis("Yes.", True, 2)])
    [path] = home.cache.glob("base/*.json")
    tear(path)
    assert base_cache.read_translations(home, "key", 1) is None
    assert base_cache.read_scores(home, "key") is None

    direction = Direction.parse("de-en")
    Translations(home, "a model", direction).add({"Ja.": "Yes.", "Nein.": "No."})
    [path] = home.cache.glob("translations/*.jsonl")
    tear(path)
    torn = Translations(home, "a model", direction)
    assert "Ja." in torn and "Nein." not in torn
    torn.add({"Nein.": "No."})
    assert "Nein." in Translations(home, "a model", direction)


def test_a_torn_spec_hides_its_run_and_no_other(whole):
    lab, run = whole
    [other] = [one.id for one in lab.runs() if one.id != run.id]
    tear(run.folder / "spec.json")
    assert [one.id for one in Lab(lab.settings).runs()] == [other]
    assert run.folder.exists(), "what it made is still there"


def test_a_log_goes_on_after_a_torn_line(whole):
    lab, run = whole
    tear(run.folder / "events.jsonl")
    lab.store.log(run.id).append("note", text="goes on")
    kinds = [event.kind for event in lab.run(run.id).events()]
    assert kinds == ["phase", "step", "step", "step", "note"]
    check_aftermath(lab.settings, [one.id for one in lab.runs()])


def test_a_torn_wish_to_stop_is_a_wish(store, plain, supervisor, fake_jobs):
    from tests.e2e.faults.test_confused_facts import started, ticks

    fake_jobs("stubborn")
    run = started(store, plain, supervisor)
    (run.folder / "stop.json").write_text('{"kee')
    ticks(supervisor, lambda: store.written_status(run.id).state == "stopped")
    assert run.folder.exists()
    check_aftermath(store.settings, [run.id], tick=supervisor.tick)
