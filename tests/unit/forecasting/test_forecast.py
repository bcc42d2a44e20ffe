"""Time and memory told before a run: from its work, the machine, and the runs that finished."""

import gc
import subprocess
import sys
import weakref
from dataclasses import replace

import pytest

from mtlab.forecasting import Forecaster, forecaster_of
from mtlab.forecasting.machine import Machine
from mtlab.forecasting.physics import Answers, seconds_of
from mtlab.runs import provenance
from mtlab.runs.store import RunStore
from tests.unit.forecasting.conftest import spec_of


def test_without_any_run_it_is_a_guess_that_says_so(forecaster):
    told = forecaster.forecast(spec_of())
    assert set(told.seconds) == {"prepare", "load", "base", "train", "decode", "score"}
    assert told.low < told.total < told.high and told.high > 2 * told.low
    assert "a rough guess" in told.sentence and "training" in told.sentence
    assert told.total == pytest.approx(sum(told.seconds.values()))


@pytest.mark.parametrize("slower", [0.4, 3.0])
def test_a_finished_run_is_believed(store, forecaster, finished, slower):
    before = forecaster.forecast(spec_of(score_base=False))
    run = finished(spec_of(score_base=False), slower=slower, larger=1.2)
    after = forecaster.forecast(spec_of(score_base=False, name="again"))
    # The number said is to be a little high: a tenth at most.
    for phase in ("load", "train", "decode"):
        taken = slower * before.seconds[phase]
        assert 1.0 < after.seconds[phase] / taken < 1.2, phase
    assert 1.1 * before.memory < after.memory < 1.25 * before.memory
    assert after.high / after.low < before.high / before.low
    assert f"by run {run.id}" in after.sentence


def test_what_is_unlike_is_corrected_less(forecaster, finished):
    alike, unlike = spec_of(seed=1), spec_of(size=256, training={"method": "lora", "steps": 900})
    first = [forecaster.forecast(spec).seconds["train"] for spec in (alike, unlike)]
    finished(spec_of(), slower=3.0)
    then = [forecaster.forecast(spec).seconds["train"] for spec in (alike, unlike)]
    near, far = (new / old for new, old in zip(then, first, strict=True))
    assert 2.6 < near < 3.3 and 1.2 < far < 0.9 * near


def test_more_to_do_takes_longer(forecaster):
    def seconds(phase, **fields):
        return forecaster.forecast(spec_of(**fields)).seconds[phase]

    assert seconds("train", training={"steps": 100}) > 5 * seconds("train", training={"steps": 10})
    assert seconds("decode", test_limit=128) > 1.5 * seconds("decode", test_limit=32)
    assert seconds("base", decoding={"beams": 8}) > 1.3 * seconds("base", decoding={"beams": 1})
    pretend = {"training": {"method": "few-shot"}, "train": (), "test": ("de-en",)}
    assert "train" not in forecaster.forecast(spec_of(size=3, **pretend)).seconds


def test_small_test_sets_are_translated_together(forecaster):
    spec = spec_of(test=("de-en", "en-de", "fr-en", "en-fr"))
    together = forecaster.forecast(spec).work
    apart = forecaster.forecast(spec_of(test=spec.test, decoding={"backend": "ctranslate2"})).work
    assert len(apart.own) == len(together.base) == len(apart.base) == 4
    (own,) = together.own
    assert own.count * own.sentences == 4 * 32
    (probes,) = together.probes
    assert probes.count * probes.sentences == spec.probe_size


def test_what_the_untuned_base_has_translated_is_not_translated_again(forecaster, finished):
    finished(spec_of())
    assert "base" not in forecaster.forecast(spec_of(size=64)).seconds
    both = forecaster.forecast(spec_of(train=("de-en", "en-de"))).seconds
    alone = forecaster.forecast(spec_of(train=("en-de",))).seconds
    assert both["base"] == pytest.approx(alone["base"], rel=0.25)
    assert "base" in forecaster.forecast(spec_of(decoding={"beams": 2})).seconds
    assert "base" in forecaster.forecast(spec_of(test_limit=33)).seconds


def test_answers_that_never_end_are_learnt_from(forecaster, finished):
    before = forecaster.forecast(spec_of()).seconds["decode"]
    rambling = {"decode": {"answers": 400, "tokens": 400 * 128, "ended": 0}}
    run = finished(spec_of(), answers=rambling)
    after = forecaster.forecast(spec_of(seed=2)).seconds["decode"]
    assert after < 1.5 * before  # it took that run no longer, for all its rambling ...
    provenance.record(run.folder, answers={})
    forgotten = Forecaster(forecaster._store).forecast(spec_of(test_limit=96)).seconds["decode"]
    provenance.record(run.folder, answers=rambling)
    known = Forecaster(forecaster._store).forecast(spec_of(test_limit=96)).seconds["decode"]
    assert known != pytest.approx(forgotten, rel=0.02)


@pytest.mark.parametrize("change", ["resumed", "halved", "no work", "torn work"])
def test_a_run_that_went_another_way_teaches_nothing(store, forecaster, finished, change):
    before = forecaster.forecast(spec_of()).seconds["train"]
    run = finished(spec_of(), slower=3.0)
    status = store.status(run.id)
    if change == "resumed":
        store.write_status(run.id, status.with_changes(attempts=2))
    elif change == "halved":
        store.write_status(run.id, status.with_changes(halved=("training",)))
    else:
        provenance.record(run.folder, work={"shape": 1} if change == "torn work" else None)
    fresh = Forecaster(store).forecast(spec_of())
    assert fresh.seconds["train"] == pytest.approx(before)
    assert run.id not in fresh.sentence


def test_what_is_not_known_well_enough_is_not_told(forecaster, tmp_path):
    outputs = tmp_path / "ours.txt"
    outputs.write_text("x\n")
    none = {"training": {"method": "none"}, "train": (), "size": 0, "test": ("de-en",)}
    for base in ("Helsinki-NLP/opus-mt-{source}-{target}", f"outputs:{outputs}", "some/model"):
        assert forecaster.forecast(spec_of(base=base, **none)) is None, base


def test_a_base_that_is_not_here_is_told_by_its_size(forecaster):
    told = forecaster.forecast(spec_of(base="llama-2-7b"))
    assert told.total > 20 * forecaster.forecast(spec_of()).total
    assert told.memory > 13e9


def test_a_forecast_loads_no_torch():
    code = (
        "import sys; from mtlab import Lab, RunSpec\n"
        "told = Lab().preview(RunSpec(train=('de-en',))).told\n"
        "print(told is not None, *[m for m in ('torch', 'transformers', 'peft', 'pandas')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]


def test_a_run_that_waited_for_the_processor_is_believed_less(store, forecaster, finished):
    before = forecaster.forecast(spec_of()).seconds["train"]
    run = finished(spec_of(), slower=4.0)
    believed = forecaster.forecast(spec_of(seed=1)).seconds["train"] / before
    provenance.record(run.folder, phases={"train": {"cpu_seconds": before}})
    doubted = Forecaster(store).forecast(spec_of(seed=1)).seconds["train"] / before
    assert 1.5 < doubted < 0.97 * believed


def test_a_store_is_let_go_of(home):
    store = RunStore(home)
    assert forecaster_of(store) is forecaster_of(store)
    seen = weakref.ref(store)
    del store
    gc.collect()
    assert seen() is None


def test_each_direction_has_its_own_answers(forecaster, finished):
    """One direction rambles to the limit, the other ends at once."""
    both = spec_of(train=("de-en", "en-de"), decoding={"beams": 2})
    told = {
        "de-en": {"answers": 500, "tokens": 500 * 128, "ended": 0},
        "en-de": {"answers": 500, "tokens": 500 * 10, "ended": 500},
    }
    finished(both, answers={"base": told})
    seconds = [
        forecaster.forecast(spec_of(train=(one,), test_limit=64)).seconds["base"] for one in told
    ]
    assert seconds[0] > 2 * seconds[1]


def test_on_a_gpu_steps_are_not_padded_and_made_in_wide_passes(forecaster, monkeypatch):
    batches = {"batch_size": 4, "accumulation": 4}
    spec = spec_of(training={"method": "full", "precision": "bf16", **batches})
    here = forecaster.forecast(spec).work
    monkeypatch.setattr("mtlab.forecasting.forecast.available_memory", lambda: (80 * 2**30, "GPU"))
    there = forecaster.forecast(spec).work
    assert there.teaching.passes == 1 and here.teaching.passes == 4
    assert there.teaching.tokens < here.teaching.tokens
    # A pass is asked for while the one before is computed: each costs less beside its tokens.
    one, four = (
        replace(there, teaching=replace(there.teaching, passes=passes)) for passes in (1, 4)
    )
    answers = Answers(1.0, 1.0)
    cost = {
        device: [
            seconds_of(work, answers, answers, replace(Machine(), device=device))["train"]
            for work in (one, four)
        ]
        for device in ("cpu", "cuda")
    }
    assert cost["cuda"][1] - cost["cuda"][0] < cost["cpu"][1] - cost["cpu"][0]
