"""Runs as a table, and the mean over seeds."""

import pytest

from mtlab.defaults import complete
from mtlab.presets import BASES
from mtlab.results import over_seeds, runs_frame
from mtlab.results.table import COLUMNS, failure_columns
from mtlab.runs.files import write_json
from mtlab.runs.store import RunStore
from mtlab.spec import RunSpec


def score(value):
    return {
        "value": value,
        "low": value - 1,
        "high": value + 1,
        "n": 8,
        "signature": "s",
        "seed": 1,
    }


@pytest.fixture
def store(home):
    return RunStore(home)


@pytest.fixture
def made(store):
    """Make a run that has the given BLEU, and chrF ten above it; COMET was not to be had."""

    def make(bleu, *, off_target=0.0, **fields):
        spec = RunSpec(**{"train": ["de-en", "en-de"], "size": 32, **fields})
        if not spec.base.startswith("run:"):
            spec = complete(spec, BASES["nano"])
        record = store.create(spec)
        failures = {"off-target": off_target, "copy": 0.25}
        own = {
            "bleu": score(bleu),
            "chrf": score(bleu + 10),
            "comet": {"available": False, "why": "no hub", "fix": "connect"},
            "failures": failures,
        }
        base = {"bleu": score(0.5), "failures": {"off-target": 1.0}}
        data = {"scores": {"de-en": own, "en-de": own}, "base": {"de-en": base}}
        write_json(record.folder / "scores.json", data)
        return record

    return make


def test_a_row_per_run_system_direction_and_metric(store, made):
    record = made(20.0, off_target=0.5, group="mine", seed=3, reverse=0.1)
    unscored = store.create(record.spec)
    frame = runs_frame([record, unscored])
    assert list(frame.columns) == [*COLUMNS, *failure_columns()]
    found = [tuple(row) for row in frame[["system", "direction", "metric", "value"]].values]
    assert found == [
        ("run", "de-en", "bleu", 20.0), ("run", "de-en", "chrf", 30.0),
        ("run", "en-de", "bleu", 20.0), ("run", "en-de", "chrf", 30.0),
        ("base", "de-en", "bleu", 0.5),
    ]  # fmt: skip
    first = frame.iloc[0]
    assert (first["group"], first["seed"], first["reverse"]) == ("mine", 3, 0.1)
    assert (first["train"], first["noise"], first["method"]) == ("de-en en-de", "none", "full")
    assert (first["low"], first["high"], first["n"], first["signature"]) == (19.0, 21.0, 8, "s")
    assert (first["off_target"], first["copy"]) == (0.5, 0.25)
    assert frame.iloc[4]["off_target"] == 1.0 and frame.iloc[4].isna()["copy"]


def test_no_runs_make_an_empty_table():
    assert list(runs_frame([]).columns) == [*COLUMNS, *failure_columns()]
    assert over_seeds(runs_frame([])).empty


def test_the_mean_is_over_seeds_alone(made):
    records = [
        made(20.0, seed=0, name="one"), made(26.0, seed=1, off_target=0.5), made(30.0, size=64),
        made(5.0, noise={"kind": "word"}), made(7.0, decoding={"strategy": "greedy"}),
    ]  # fmt: skip
    means = over_seeds(runs_frame(records))
    bleu = means[(means["system"] == "run") & (means["metric"] == "bleu")]
    bleu = bleu[bleu["direction"] == "de-en"]
    found = [tuple(row) for row in bleu[["size", "noise", "mean", "min", "max", "seeds"]].values]
    assert found == [
        (32, "none", 23.0, 20.0, 26.0, 2), (64, "none", 30.0, 30.0, 30.0, 1),
        (32, "word", 5.0, 5.0, 5.0, 1), (32, "none", 7.0, 7.0, 7.0, 1),
    ]  # fmt: skip
    assert bleu["off_target"].iloc[0] == 0.25 and bleu["n"].iloc[0] == 8


def test_a_seed_that_was_run_twice_counts_once(made):
    means = over_seeds(runs_frame([made(10.0), made(20.0), made(30.0, seed=1)]))
    first = means.iloc[0]
    assert (first["mean"], first["seeds"]) == (22.5, 2)


def test_runs_that_went_on_from_others_are_told_by_their_cycle(made):
    first, other = made(10.0, seed=0), made(14.0, seed=1)
    second, third = (made(12.0, base=f"run:{one.id}") for one in (first, other))
    third_spec = made(16.0, base=f"run:{third.id}", seed=1)
    frame = runs_frame([first, second, third_spec])
    assert dict(zip(frame["id"], frame["cycle"], strict=True)) == {
        first.id: 1, second.id: 2, third_spec.id: 3,
    }  # fmt: skip
    assert set(frame["base"]) == {"nano"}
