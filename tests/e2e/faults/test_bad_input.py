"""What is asked for by mistake: one clear sentence, the same from Python, CLI and page."""

import shutil
from dataclasses import replace

import gradio as gr
import pytest

from mtlab import Lab, RunSpec
from mtlab.cli import main
from mtlab.errors import MtlabError
from mtlab.results.lessons import as_chosen
from mtlab.ui.launch.cloning import cloned
from mtlab.ui.launch.tab import launched
from mtlab.ui.markup import escape
from mtlab.ui.page import build
from mtlab.ui.run_card import ACTIONS
from tests.written_runs import written_home


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A lab with a run in every state, and its page."""
    with written_home(tmp_path_factory.mktemp("bad") / "home") as written:
        lab = Lab(replace(written.settings, max_queued=1))
        lab.supervisor.start = lambda: None
        runs = {
            state: written.run(state=state)
            for state in ("finished", "running", "queued", "stopped")
        }
        runs["unknown"] = "20200101-000000-dead"
        yield lab, runs, Page(lab)


class Page:
    """The buttons of the open run, as a page that has not been told of a change yet shows them."""

    def __init__(self, lab):
        page = build(lab)
        labels = {label: name for name, label in ACTIONS.items()}
        self.acts = {
            labels[page.blocks[block].value]: fn.fn
            for fn in page.fns.values()
            for block, event in fn.targets
            if event == "click"
            and getattr(page.blocks.get(block), "value", None) in labels
            and [type(one) for one in fn.inputs] == [gr.Textbox]
        }

    def press(self, action, run):
        """The sentence that the page shows."""
        with pytest.raises(gr.Error) as caught:
            self.acts[action](run)
        return str(caught.value.message)


CASES = [
    ("stop", "finished", "run: run {run} is already finished: only a live run stops."),
    ("stop", "unknown", "run: there is no run '{run}': see 'mtlab runs list' for the ids."),
    (
        "resume",
        "running",
        "run: run {run} is running: only a stopped, failed or interrupted run is resumed.",
    ),
    (
        "resume",
        "finished",
        "run: run {run} is finished: only a stopped, failed or interrupted run is resumed.",
    ),
    ("delete", "running", "run: run {run} is running: stop it first."),
    ("delete", "unknown", "run: there is no run '{run}': see 'mtlab runs list' for the ids."),
]


@pytest.mark.parametrize(("action", "state", "sentence"), CASES)
def test_of_a_run_that_is_not_in_the_state_for_it(
    place, capsys, monkeypatch, action, state, sentence
):
    lab, runs, page = place
    run, expected = runs[state], sentence.format(run=runs[state])
    with pytest.raises(MtlabError) as caught:
        getattr(lab.run(run), action)()
    assert str(caught.value) == expected
    monkeypatch.setenv("MTLAB_HOME", str(lab.settings.home))
    assert main(["runs", action, run]) == 2
    assert capsys.readouterr().err == f"mtlab: {expected}\n"
    if action != "delete" or state == "unknown":  # the page asks before it deletes
        assert page.press(action, run) == escape(expected)
    assert state == "unknown" or lab.run(run).status().state == state


def test_when_the_queue_is_full(place, capsys, monkeypatch):
    lab, _, _ = place
    says = "the queue is full: 1 runs wait, and one more would be over the 1 that may: "
    spec = RunSpec(base="nano", size=4, train=["de-en"])
    with pytest.raises(MtlabError, match=says):
        lab.launch(spec)
    with pytest.raises(MtlabError, match=says):
        launched(lab, cloned(spec.to_json(), lab.settings))
    monkeypatch.setenv("MTLAB_HOME", str(lab.settings.home))
    monkeypatch.setenv("MTLAB_MAX_QUEUED", "1")
    assert main(["run", "--size", "4", "--train", "de-en"]) == 1
    assert says in capsys.readouterr().err
    assert len(lab.runs()) == 4


@pytest.mark.parametrize("kind", ["folder", "run"])
def test_a_cloned_spec_whose_base_is_gone(place, capsys, monkeypatch, tmp_path, kind):
    lab, runs, _ = place
    base = str(tmp_path / "model") if kind == "folder" else f"run:{runs['unknown']}"
    spec = lab.run(runs["finished"]).spec.with_changes(base=base)
    (tmp_path / "model").mkdir()
    shutil.rmtree(tmp_path / "model")
    values = cloned(as_chosen(spec, lab.settings), lab.settings)
    assert values["base"] == base, "the form shows what was cloned"
    says = {
        "folder": f"base: there is no model folder '{base}': check the path.",
        "run": f"base: there is no run '{runs['unknown']}' to go on from: see 'mtlab runs list' "
        "for the ids, and write run:ID.",
    }[kind]
    for launch in (lambda: lab.launch(spec), lambda: launched(lab, values)):
        with pytest.raises(MtlabError) as caught:
            launch()
        assert str(caught.value) == says
    monkeypatch.setenv("MTLAB_HOME", str(lab.settings.home))
    assert main(["run", "--base", base, "--size", "4", "--train", "de-en"]) == 2
    assert capsys.readouterr().err == f"mtlab: {says}\n"
