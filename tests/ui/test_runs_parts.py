"""The parts of the Runs tab as a poll sees them, without a browser."""

import json

import gradio as gr
import pytest

from mtlab import Lab
from mtlab.errors import InputError, NotAvailable
from mtlab.results.filters import FILTERS, Filters
from mtlab.results.overview import Overview
from mtlab.runs.status import Status
from mtlab.runs.training_log import TrainingLog
from mtlab.settings import ASSETS
from mtlab.spec import RunSpec
from mtlab.ui.clicks import Click, clicked
from mtlab.ui.matrix import MatrixPart
from mtlab.ui.run_card import ACTIONS
from mtlab.ui.run_html import state_html
from mtlab.ui.runs_tab import build_runs_tab
from mtlab.ui.wires import Wires
from tests.written_runs import written_home

HOSTILE = "<img src=x onerror=__hit=1> {{x}}"


@pytest.fixture
def written(tmp_path):
    with written_home(tmp_path / "home") as home:
        yield home


@pytest.fixture
def lab(written):
    return Lab(written.settings)


class Visitor:
    """One visitor's tab: polls it, and keeps what the poll says to keep."""

    def __init__(self, lab):
        with gr.Blocks() as page:
            self.tab = build_runs_tab(lab, Wires.made())
        news = [(one._id, "change") for one in self.tab.pulse.news.values()]
        self.polls = [fn for fn in page.fns.values() if set(news) & set(fn.targets)]
        self.values = {one._id: one.value for poll in self.polls for one in poll.inputs}

    def open(self, run):
        self.values[self.tab.opened._id] = run

    def poll(self):
        """What the page is sent, by element id, or by class where there is none."""
        sent = {}
        for poll in self.polls:
            answers = poll.fn(*(self.values[one._id] for one in poll.inputs))
            for one, answer in zip(poll.outputs, answers, strict=True):
                if answer == gr.skip():
                    continue
                self.values[one._id] = answer
                sent[getattr(one, "elem_id", None) or f"{type(one).__name__}{one._id}"] = answer
        return sent


@pytest.fixture
def at_once(monkeypatch):
    """Every poll looks for itself."""
    monkeypatch.setattr("mtlab.results.overview.GLANCE_SECONDS", 0.0)


@pytest.mark.usefixtures("at_once")
def test_a_poll_sends_what_has_changed_and_nothing_else(lab, written):
    done = written.run(bleu={"de-en": 12.0}, steps=4, probes=(2, 4))
    live = written.run(size=64, state="running", progress=0.2, phase="train", steps=2)
    visitor = Visitor(lab)
    visitor.open(done)
    first = visitor.poll()
    assert "BLEU 12.0, finished" in first["matrix"] and "12.0" in first["run-scores"]
    assert visitor.poll() == {}

    written.change(live, progress=0.5)
    sent = visitor.poll()
    assert {"matrix", "run-queue", "run-list"} <= set(sent)
    assert not {"run-scores", "run-chart", "run-samples", "run-state"} & set(sent)
    assert "running 50%" in sent["matrix"]
    assert visitor.poll() == {}


@pytest.mark.usefixtures("at_once")
def test_what_filters_hide_changes_no_matrix(lab, written):
    hidden = written.run(state="running", progress=0.2, training={"method": "lora"})
    written.run(bleu={"de-en": 12.0})
    visitor = Visitor(lab)
    visitor.poll()
    written.change(hidden, progress=0.5)
    sent = visitor.poll()
    assert "run-queue" in sent and "matrix" not in sent


@pytest.mark.usefixtures("at_once")
def test_a_lab_is_empty_until_its_first_run(lab, written):
    visitor = Visitor(lab)
    sent = visitor.poll()
    assert "launch the first" in sent["runs-empty"] and "matrix" not in sent
    written.run(bleu={"de-en": 12.0})
    sent = visitor.poll()
    assert sent["runs-empty"] == "" and "12.0" in sent["matrix"]


def test_the_style_sheet_hides_whatever_the_page_must_reveal(lab):
    css = (ASSETS / "app.css").read_text()
    ids = [f"run-{action}" for action in ACTIONS] + [f"matrix-{name}" for name in FILTERS]
    for id_ in [*ids, "run-training", "run-chosen"]:
        assert f"""#runs-body:not(:has([data-shows~="{id_}"])) #{id_}""" in css, id_


def test_many_pages_share_one_look(lab, written):
    written.run(bleu={"de-en": 12.0})
    overview = Overview(lab.store)
    first = overview.look()
    written.run(bleu={"de-en": 13.0})
    assert overview.glance() is first
    assert len(overview.look().runs) == 2


def test_the_queue_is_in_the_order_in_which_runs_start(lab, written):
    runs = [written.run(state="queued", seed=seed) for seed in range(3)]
    lab.run(runs[2]).move("front")
    lab.run(runs[0]).move("down")
    order = [run.id for run in Overview(lab.store).look().queue]
    assert order == [run.id for run in lab.queue()] == [runs[2], runs[1], runs[0]]


def test_what_keeps_the_queue_from_moving_is_said_until_it_is_gone(lab, written):
    written.run(state="queued")
    visitor = Visitor(lab)
    assert "cannot go on" not in visitor.poll()["run-queue"]
    lab.supervisor.problem = NotAvailable("the disk that holds <home> is full", fix="free some")
    assert visitor.poll()["run-queue"].startswith(
        '<p class="notice problem">The queue cannot go on as it should: '
        "the disk that holds &lt;home&gt; is full: "
    )
    assert "run-queue" not in visitor.poll()
    lab.supervisor.problem = None
    assert "cannot go on" not in visitor.poll()["run-queue"]


def test_an_empty_cell_gives_launch_a_spec_of_its_size(lab, written):
    written.run(size=32, bleu={"de-en": 12.0}, noise={"kind": "word", "side": "target"})
    matrix, shown = drawn_matrix(lab)
    panel, row = shown[1].key, shown[1].rows[0].key
    click = Click("launch", json.dumps([panel, row, 1024]))
    spec = RunSpec.from_json(matrix._spec_for(matrix.shown.value, click))
    assert (spec.size, spec.noise.side, spec.training.steps) == (1024, "target", None)


@pytest.mark.parametrize(
    "value", ["", "[]", "7", '["clean 0", "x", 64]', '["a", "b", "c"]', "[" * 99]
)
def test_a_cell_that_nobody_drew_is_refused(lab, written, value):
    written.run(bleu={"de-en": 12.0})
    matrix, _ = drawn_matrix(lab)
    with pytest.raises(InputError, match="not there any more"):
        matrix._spec_for(matrix.shown.value, Click("launch", value))


@pytest.mark.parametrize("data", [None, "x", {}, {"what": "open"}, {"what": 1, "value": "x"}])
def test_an_event_that_is_no_click_is_refused(data):
    with pytest.raises(InputError, match="cannot be clicked"):
        clicked(gr.EventData(None, data))


def test_text_of_a_spec_is_escaped_in_every_part(lab, written):
    fields = {"name": HOSTILE, "group": HOSTILE, "test_corpus": f"/{HOSTILE}.tsv"}
    run = written.run(base="nano", bleu={"de-en": 1.0}, **fields)
    written.run(state="failed", error={"what": HOSTILE, "why": HOSTILE, "fix": HOSTILE}, **fields)
    written.run(state="queued", **fields)
    visitor = Visitor(lab)
    for opened in (run, lab.runs()[1].id):
        visitor.open(opened)
        sent = visitor.poll()
        texts = [value for name, value in sent.items() if isinstance(value, str)]
        html = [text for text in texts if text.startswith(("<", " "))]
        assert any("&lt;img" in text for text in html)
        assert not any("<img" in text or "{{" in text for text in html)


def drawn_matrix(lab):
    from mtlab.ui.matrix import drawn

    overview = Overview(lab.store)
    with gr.Blocks():
        matrix = MatrixPart(lab, overview, gr.Textbox())
    return matrix, drawn(overview.look(), Filters()).matrix.panels


def test_a_run_tells_who_launched_it(lab, written):
    run = written.run()
    visitor = Visitor(lab)
    visitor.open(run)
    assert "launched by" not in visitor.poll()["run-head"]
    written.change(run, owner="<b>alice</b>")
    other = Visitor(lab)
    other.open(run)
    assert "launched by &lt;b&gt;alice" in other.poll()["run-head"]


def test_a_run_that_waits_for_a_lent_gpu_says_so():
    spec = RunSpec(train=["de-en"])
    waiting = Status("20260101-000000-0000", wants="zero")
    shown = state_html(spec, waiting, TrainingLog(), stopping=False, place=2, left="")
    assert "queued, number 2 in the queue, until its owner lends a GPU" in shown
