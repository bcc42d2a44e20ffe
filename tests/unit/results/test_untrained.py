"""Systems that are not trained, in the tables, plots and findings of trained ones."""

import json

import pytest

from mtlab.results.conditions import conditions
from mtlab.results.exports import score_grid
from mtlab.results.figures import failures_plot, size_plot, transfer_plot
from mtlab.results.findings import findings
from mtlab.results.table import over_seeds, runs_frame
from mtlab.runs.files import write_json
from mtlab.runs.store import RunRecord

FEW_SHOT, NONE = {"method": "few-shot"}, {"method": "none"}
UNTRAINED = {"train": (), "test": ("de-en",)}


def test_showing_more_examples_is_a_finding(make_run, home):
    runs = [
        make_run({"de-en": harm}, training=FEW_SHOT, size=size, seed=seed, **UNTRAINED)
        for seed in (0, 1, 2)
        for size, harm in ((1, 0.5), (3, 0.2))
    ]
    said = [one.sentence for one in findings(runs, home)]
    assert len(said) == 2, said
    assert said[0].startswith("Showing 1 example raises nano's de-en BLEU by ")
    assert said[1].startswith("Going from 1 to 3 examples shown raises nano's de-en BLEU by ")


def test_one_system_is_held_against_another_and_not_against_an_untuned_self(make_run, home):
    base = {"training": NONE, "score_base": False, **UNTRAINED}
    runs = [
        make_run({"de-en": 0.5}, **base),
        make_run({"de-en": 0.2}, **{**base, "base": "qwen2.5-0.5b-instruct"}),
    ]
    (only,) = findings(runs, home)
    start = "Qwen2.5-0.5b-instruct in place of nano (not trained) raises de-en BLEU by "
    assert only.sentence.startswith(start)


def test_english_alone_is_said_of_what_was_trained_into_it(make_run, home):
    few = make_run({"de-en": 0.2, "en-de": 0.2}, training=FEW_SHOT, size=3, train=())
    (condition,) = conditions([few], home)
    assert not condition.english_only
    assert (condition.trained_on, condition.amount) == ("examples shown", "3 examples shown")


@pytest.fixture
def means(make_run):
    """Means over a fine-tuned run, few-shot prompting of 1 and 3, nano and outputs as they are."""
    records = []
    for number, fields in enumerate(
        (
            {"train": ("de-en",), "test": ("de-en",), "size": 32},
            {"training": FEW_SHOT, "size": 1, **UNTRAINED},
            {"training": FEW_SHOT, "size": 3, **UNTRAINED},
            {"training": NONE, **UNTRAINED},
        )
    ):
        made = make_run({"de-en": 0.2}, **fields)
        records.append(RunRecord(made.id, made.folder, made.spec))
        score = {"value": 10.0 + number, "low": 1, "high": 20, "n": 80, "signature": "s"}
        shares = {"failures": {"copy": 0.1}, "stacked": {"copy": 0.1}}
        write_json(made.folder / "scores.json", {"scores": {"de-en": {"bleu": score, **shares}}})
    spec = records[-1].spec.with_changes(base="outputs:/a/b/ours.txt")
    records.append(RunRecord("run-5", records[-1].folder, spec))
    return over_seeds(runs_frame(records))


def test_each_system_has_a_name_of_its_own_in_tables_and_plots(means):
    grid = score_grid(means, "bleu")
    assert list(grid.index) == [
        "nano, 32 pairs, de-en only",
        "nano, 1 example shown",
        "nano, 3 examples shown",
        "nano, not trained",
        "ours.txt, not trained",
    ]
    bars = failures_plot(means).figure["data"][0]["y"]
    assert len(set(bars)) == 5 and "ours.txt, not trained: de-en" in bars


def test_a_line_joins_examples_shown_and_nothing_else(means):
    (line,) = size_plot(means, "bleu").figure["data"]
    assert line["x"] == [1, 3] and line["y"] == [11.0, 12.0]
    assert transfer_plot(means, "bleu") is None, "one set of training directions"
    assert json.dumps(line)
