"""What the buttons of the Launch tab do, without a browser and without starting a run."""

import gradio as gr
import pytest

from mtlab.defaults import complete
from mtlab.errors import InputError
from mtlab.experiments import PRESETS
from mtlab.lab import Lab
from mtlab.presets import resolve_base
from mtlab.spec import RunSpec
from mtlab.ui.form import BLANK, FIELDS, spec_from_form
from mtlab.ui.launch.cloning import cloned, filled
from mtlab.ui.launch.layout import launch_form
from mtlab.ui.launch.paper_panel import MANY, PaperPanel
from mtlab.ui.launch.size import size_for, stops_for
from mtlab.ui.launch.sweep_form import FIRST, KNOBS
from mtlab.ui.launch.sweep_panel import SweepPanel
from mtlab.ui.launch.tab import launched
from mtlab.ui.wires import Wires


@pytest.fixture
def lab(home, monkeypatch):
    """A lab in which runs are queued and none begins."""
    opened = Lab(home)
    monkeypatch.setattr(opened, "supervise", lambda: None)
    yield opened
    opened.close()


@pytest.fixture
def form(lab):
    with gr.Blocks():
        yield launch_form(lab)


def given(**changes):
    return [{**BLANK, **changes}[name] for name in FIELDS]


class TestLaunch:
    def test_one_seed_is_a_run(self, lab):
        run = lab.run(launched(lab, {**BLANK, "train": ["fr-en"], "seed": "7"}))
        assert [one.id for one in lab.runs()] == [run.id]
        assert run.spec.seed == 7 and run.spec.group is None

    def test_several_seeds_are_a_sweep(self, lab):
        first = launched(lab, {**BLANK, "seed": "3 seeds", "group": "mine"})
        assert sorted(run.spec.seed for run in lab.runs()) == [0, 1, 2]
        assert {run.spec.group for run in lab.runs()} == {"mine"}
        assert lab.run(first).spec.seed == 0

    def test_what_is_wrong_is_raised_and_nothing_is_queued(self, lab):
        for changes, field in (({"seed": "x"}, "seed"), ({"steps": "x"}, "training.steps")):
            with pytest.raises(InputError) as caught:
                launched(lab, {**BLANK, **changes})
            assert caught.value.field == field
        assert lab.runs() == []


class TestSweep:
    @pytest.fixture
    def panel(self, lab, form):
        return SweepPanel(lab, form, Wires.made())

    @staticmethod
    def chosen(knobs, name="", **values):
        return [knobs, name, *({**FIRST, **values}[knob] for knob in KNOBS)]

    def test_it_says_how_many_runs_it_makes_and_makes_them(self, lab, panel):
        inputs = [*given(), *self.chosen(["size", "seed"], size="16, 32", seed="2 seeds")]
        said, button, yaml = panel.planned(*inputs)
        assert "4 runs" in said and "about " in said
        assert button.value == "Launch 4 runs"
        assert "size:\n  - 16\n  - 32" in yaml and lab.runs() == []
        opened = panel._start(*inputs)
        assert sorted((run.spec.size, run.spec.seed) for run in lab.runs()) == [
            (16, 0), (16, 1), (32, 0), (32, 1),
        ]  # fmt: skip
        assert opened.value in {run.id for run in lab.runs()}
        assert {run.spec.group for run in lab.runs()} == {"nano/size"}

    def test_what_is_wrong_is_said_and_nothing_is_queued(self, lab, panel):
        for inputs, says in (
            ([*given(), *self.chosen([])], "nothing varies"),
            ([*given(train=[]), *self.chosen(["size"])], "no training direction"),
            ([*given(), *self.chosen(["size"], size="16, 99999999")], "99,999,999"),
        ):
            said, button, yaml = panel.planned(*inputs)
            assert says in said and 'class="notice problem"' in said and yaml == ""
            with pytest.raises(InputError, match=says):
                panel._start(*inputs)
        assert lab.runs() == []


class TestPaper:
    @pytest.fixture
    def panel(self, lab, form):
        return PaperPanel(lab, form, Wires.made())

    @staticmethod
    def click(what, name):
        return gr.EventData(None, {"what": what, "value": name})

    def test_every_experiment_says_what_it_shows_and_makes(self, panel):
        (html,) = panel.planned(*given())
        assert html.count("<article") == len(PRESETS)
        assert "Shows whether 32 pairs are enough." in html
        assert "mtlab sweep paper/size --base nano --seeds 1" in html
        assert "mtlab sweep next/architecture --seeds 1" in html  # which varies the base
        assert html.count('data-click="ask"') == len(PRESETS)
        (more,) = panel.planned(*given(seed="3, 7", base="llama-2-7b", corpus="everyday"))
        assert "--base llama-2-7b --seeds 3,7," in more

    def test_few_runs_are_queued_at_once(self, lab, panel):
        _, opened = panel._clicked(self.click("ask", "paper/direction"), *given())
        assert 1 < len(lab.runs()) <= MANY
        assert opened.value in {run.id for run in lab.runs()}
        assert {run.spec.group for run in lab.runs()} == {"paper/direction"}

    def test_many_are_queued_after_a_question(self, lab, panel):
        inputs = given(seed="3 seeds")
        html, opened = panel._clicked(self.click("ask", "paper/size"), *inputs)
        assert "Yes, start 30 runs" in html and html.count('data-click="start"') == 1
        assert lab.runs() == [] and opened == gr.skip()
        html, _ = panel._clicked(self.click("leave", "paper/size"), *inputs)
        assert 'data-click="start"' not in html and lab.runs() == []
        panel._clicked(self.click("start", "paper/size"), *inputs)
        assert len(lab.runs()) == 30

    def test_what_nobody_offers_cannot_be_started(self, lab, panel):
        with pytest.raises(InputError, match="no such experiment"):
            panel._clicked(self.click("start", "../../etc"), *given())
        (html,) = panel.planned(*given(base="<b>none</b>"))
        assert "there is no base model" in html and "<b>none" not in html
        (html,) = panel.planned(*given(seed="x"))
        assert "seed: " in html and "<article" not in html


class TestCloning:
    def test_a_finished_run_fills_every_field_and_opens_advanced(self, home, form):
        base = resolve_base("nano", home)
        spec = RunSpec(
            train=["fr-en"],
            size=64,
            noise={"kind": "word", "side": "source"},
            decoding={"beams": 2},
        )
        values = cloned(complete(spec, base).to_json(), home)
        assert spec_from_form(values, home) == spec
        dirty = {**BLANK, "steps": "5000", "upload": "/tmp/x.tsv", "train": ["de-en"]}
        updates = filled(values, dirty, form, home)
        fields = dict(zip(FIELDS, updates, strict=False))
        assert fields["steps"]["value"] == "" and fields["upload"]["value"] is None
        assert fields["train"]["value"] == ["fr-en"] and "fr-en" in fields["train"]["choices"]
        accordion, *parts = updates[len(FIELDS) :]
        assert accordion["open"] is True and len(parts) == len(form.parts)

    def test_a_part_leaves_the_rest_as_it_is(self, home, form):
        values = cloned({"noise": {"kind": "typo"}}, home)
        updates = filled(values, BLANK, form, home)
        touched = [name for name, one in zip(FIELDS, updates, strict=False) if one != gr.skip()]
        assert touched == ["noise_kind"] and updates[len(FIELDS)] == gr.skip()

    @pytest.mark.parametrize("data", [None, "text", ["size"], 3])
    def test_what_is_no_spec_is_refused(self, home, data):
        with pytest.raises(InputError):
            cloned(data, home)

    def test_a_run_whose_base_is_gone_is_cloned_as_it_is(self, home):
        spec = RunSpec(base="run:20260101-000000-abcd", train=["de-en"], training={"steps": 7})
        values = cloned(spec.to_json(), home)
        assert values["base"] == spec.base and values["steps"] == "7"


class TestSize:
    def test_the_stops_are_what_the_corpus_has(self, lab):
        told = stops_for(lab.preview(RunSpec(train=["de-en"])))
        stops = told["stops"]
        assert int(told["pairs"].replace(",", "")) > int(stops[-2])
        assert stops[:2] == ["16", "32"] and stops[-1] == "all"
        assert len(stops_for(lab.preview(RunSpec(train=["de-en", "en-de"])))["stops"]) > len(stops)
        shows = RunSpec(test=["de-en"], size=3, training={"method": "few-shot"})
        assert stops_for(lab.preview(shows))["stops"][-1] == "32"

    def test_each_way_of_learning_remembers_its_size(self):
        field, memory = size_for("few-shot", "512", {})
        assert field.value == "3" and field.label == "Examples shown"
        field, memory = size_for("lora", "5", memory)
        assert field.value == "512" and field.label == "Training pairs"
        field, memory = size_for("few-shot", "512", memory)
        assert field.value == "5"
        kept, memory = size_for("none", "5", memory)
        assert kept == gr.skip()


def test_what_is_hidden_follows_method_and_noise(form):
    def visible(method, kind):
        return dict(
            zip(
                [getattr(part, "elem_id", None) for part in form.parts],
                [one["visible"] for one in form.shown_for(method, kind)],
                strict=True,
            )
        )

    assert visible("lora", "word")["dictionary"] and not visible("lora", "typo")["dictionary"]
    assert not visible("few-shot", "word")["dictionary"]
    assert visible("few-shot", "none")["size-box"] and not visible("none", "none")["size-box"]
    assert not visible("none", "word")["noise-kind"] and visible("full", "none")["noise-kind"]
