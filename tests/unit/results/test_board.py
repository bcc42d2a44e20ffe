"""A home's finished runs, ready to be looked at."""

import threading

import pytest

from mtlab.errors import InputError
from mtlab.results import board as boards
from mtlab.results.board import Board, Drawing
from mtlab.results.once import Once
from mtlab.results.selection import Selection
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from tests.finished_runs import finished_run, small_home


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    home = tmp_path_factory.mktemp("board") / "home"
    store = RunStore(Settings.from_environment({"MTLAB_HOME": str(home)}))
    small_home(store)
    store.create(store.list()[0].spec)  # one that waits
    return store


@pytest.fixture
def board(store):
    return Board(store)


def test_all_finished_runs_are_looked_at_and_a_metric_is_chosen(board):
    view = board.view(Selection())
    assert view.metric == "bleu" and view.total == len(view.records) == 12
    assert view.choices.metrics == ("bleu", "chrf", "comet", "gated-comet")
    assert view.choices.groups == ("noise", "sizes")
    assert view.choices.directions == ("de-en", "en-de")
    assert view.choices.bases == ("nano",) and view.choices.corpora == ("everyday",)
    assert view.sizes == (16, 256)
    assert set(board.plots(view, Drawing())) == {
        "size", "transfer", "relative", "off-target", "noise", "failures"
    }  # fmt: skip


def test_a_choice_leaves_what_has_it_and_offers_what_goes_with_it(board):
    view = board.view(Selection(group="noise", directions=("en-de",)))
    assert {record.spec.group for record in view.records} == {"noise"}
    assert set(view.frame["direction"]) == {"en-de"}
    assert view.choices.groups == ("noise", "sizes"), "another sweep can still be chosen"
    assert set(view.choices.runs) == {record.id for record in view.records}
    run = view.records[0].id
    assert [one.id for one in board.view(Selection(runs=(run,))).records] == [run]


def test_what_no_run_has_is_refused_or_left_out(board):
    wrong = Selection(metric="ter", base="x", corpus="y", group="z", directions=("fr-de",))
    for part in ("metric", "base", "corpus", "group", "directions"):
        with pytest.raises(InputError, match="no finished run has"):
            board.view(Selection(**{part: getattr(wrong, part)}))
    with pytest.raises(InputError, match="Runs: no finished run has 'gone'"):
        board.view(Selection(runs=("gone",)))
    assert board.still_there(wrong) == Selection()
    kept = Selection("chrf", "nano", "everyday", "noise", ("de-en",))
    assert board.still_there(kept) == kept


def test_unchanged_runs_are_not_read_again(board, monkeypatch):
    view = board.view(Selection())
    plots = board.plots(view, Drawing())
    monkeypatch.setattr(boards, "rows_of", lambda record: pytest.fail("read again"))
    monkeypatch.setattr(boards, "plots", lambda *_, **__: pytest.fail("drawn again"))
    assert board.view(Selection()) is view
    assert board.plots(board.view(Selection()), Drawing()) is plots


def test_a_run_that_finishes_is_seen_and_alone_is_read(tmp_path, monkeypatch):
    store = RunStore(Settings.from_environment({"MTLAB_HOME": str(tmp_path / "home")}))
    first = finished_run(store, {"de-en": 0.2}, segments=4)
    board = Board(store)
    before = board.view(Selection())
    second = finished_run(store, {"de-en": 0.5}, segments=4, seed=1)
    read = []
    monkeypatch.setattr(boards, "rows_of", lambda record: read.append(record.id) or [])
    after = board.view(Selection())
    assert before.stamp != after.stamp and read == [second.id]
    assert [record.id for record in after.records] == [first.id], "the new one's rows were empty"


def test_findings_outlive_runs_that_are_not_looked_at(tmp_path, monkeypatch):
    store = RunStore(Settings.from_environment({"MTLAB_HOME": str(tmp_path / "home")}))
    for size in (16, 64):
        finished_run(store, {"de-en": 0.2}, segments=4, size=size, group="mine")
    made = []
    monkeypatch.setattr(boards, "findings_apart", lambda *_: made.append(1) or ())
    board, mine = Board(store), Selection(group="mine")
    board.findings(board.view(mine))
    finished_run(store, {"de-en": 0.2}, segments=4, size=32, group="other")
    assert board.known_findings(board.view(mine)) == () and made == [1]
    finished_run(store, {"de-en": 0.2}, segments=4, size=32, group="mine")
    assert board.known_findings(board.view(mine)) is None


def test_an_empty_home_has_nothing_to_show(tmp_path):
    store = RunStore(Settings.from_environment({"MTLAB_HOME": str(tmp_path / "home")}))
    view = Board(store).view(Selection())
    assert (view.total, view.records, view.metric, view.sizes) == (0, (), "", ())


def test_findings_are_made_once_in_another_process_and_are_those_of_here(board, monkeypatch):
    from mtlab.results.findings import findings

    view = board.view(Selection(group="noise"))
    assert board.known_findings(view) is None
    found = board.findings(view)
    evidence = boards._evidence(view)
    here = findings(evidence, board._store.settings, ("bleu",))
    assert [one.to_json() for one in found] == [one.to_json() for one in here]
    assert any(one.topic == "sides" and one.found for one in found)
    monkeypatch.setattr(boards, "findings_apart", lambda *_: pytest.fail("made again"))
    assert board.findings(board.view(Selection(group="noise"))) is found
    assert board.known_findings(view) is found


def test_only_the_directions_that_are_looked_at_are_compared(board, monkeypatch):
    asked = []
    monkeypatch.setattr(boards, "findings_apart", lambda runs, *_: asked.extend(runs) or ())
    board.findings(board.view(Selection(directions=("de-en",))))
    assert len(asked) == 12
    assert all([str(one) for one in run.spec.tested] == ["de-en"] for run in asked)


def test_too_many_comparisons_are_not_made_and_the_report_says_so(board, monkeypatch):
    monkeypatch.setattr(boards, "MOST_COMPARISONS", 3)
    monkeypatch.setattr(boards, "findings_apart", lambda *_: pytest.fail("made all the same"))
    view = board.view(Selection())
    assert board.findings(view) == ()
    report = board.report(view)
    assert "too many to wait for (at most 3)" in report.untested
    assert report.untested in report.html()


def test_the_report_is_of_what_is_looked_at(board, monkeypatch):
    monkeypatch.setattr(boards, "findings_apart", lambda *_: ())
    view = board.view(Selection(metric="comet", group="noise", directions=("en-de",)))
    report = board.report(view)
    assert report.metric == "comet" and report.title == "noise, 4 runs"
    assert set(report.frame["direction"]) == {"en-de"}
    assert set(report.frame["metric"]) == {"bleu", "chrf", "comet", "gated-comet"}
    assert "test_set" not in report.csv().splitlines()[0]
    assert board.tables(view).csv() == report.csv()


def test_why_a_metric_is_missing_is_known(tmp_path):
    from mtlab.runs.files import read_json, write_json

    store = RunStore(Settings.from_environment({"MTLAB_HOME": str(tmp_path / "home")}))
    path = finished_run(store, {"de-en": 0.2}, segments=4).folder / "scores.json"
    data = read_json(path)
    missing = {"available": False, "why": "no checkpoint", "fix": "connect once"}
    data["scores"]["de-en"]["comet"] = missing
    write_json(path, data)
    assert Board(store).view(Selection()).missing == {"comet": "no checkpoint; connect once"}


def test_a_value_is_made_once_however_many_ask():
    once, made, go = Once(2), [], threading.Event()

    def make():
        go.wait(5)
        made.append(1)
        return "value"

    found = []
    threads = [threading.Thread(target=lambda: found.append(once.get("k", make))) for _ in range(4)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(5)
    assert found == ["value"] * 4 and made == [1]


def test_the_oldest_values_go_and_a_failure_is_not_kept():
    once = Once(2)
    for key in "ab":
        once.get(key, lambda key=key: key)
    once.peek("a")
    once.get("c", lambda: "c")
    assert (once.peek("a"), once.peek("b"), once.peek("c")) == ("a", None, "c")
    with pytest.raises(ValueError, match="no"):
        once.get("d", lambda: (_ for _ in ()).throw(ValueError("no")))
    assert once.get("d", lambda: "d") == "d"
