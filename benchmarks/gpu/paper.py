"""The paper's run, one epoch in full: forecast by the lab, and told from a slice of it."""

from __future__ import annotations

import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.gpu.bench import Bench
from benchmarks.gpu.device import release
from benchmarks.gpu.models import Llama, training_of
from benchmarks.gpu.training import on_pairs
from mtlab.bench.limits import training_operations
from mtlab.defaults import complete
from mtlab.forecasting import Forecaster, calibrate
from mtlab.forecasting.physics import Answers, seconds_of
from mtlab.presets import resolve_base
from mtlab.runs.store import RunStore


def paper_run(bench: Bench) -> dict[str, Any]:
    """Forecast the run's training, then train on a slice of its pairs.

    The forecast is that of `mtlab run --dry-run` in an empty home after `mtlab bench calibrate`,
    without its checkpoints, for the slice is steps alone. Where the memory does not hold all
    layers, both are of those it holds, and the whole model's seconds are told by its operations.
    """
    run = on_pairs(bench, "full")
    tell, shape = bench.record.say, run.llama.shape
    pairs = bench.texts.spec.size
    rows = bench.texts.pairs(bench.scale.sample, bench.scale.length)
    targets = sum(one != -100 for _, labels in rows for one in labels[1:]) / len(rows)
    took = pairs * targets / run.standings[0].rate
    tell("the paper's run: measuring this machine for the forecast")
    told = forecast_seconds(bench, run.llama)
    lengths = [len(ids) for ids, _ in rows]
    counted = round(targets * len(rows))
    whole = training_operations(bench.scale.llama.shape, lengths, counted).total
    cut = training_operations(shape, lengths, counted).total
    found = {
        "pairs": pairs, "tokens_per_pair": sum(lengths) / len(rows), "targets_per_pair": targets,
        "layers": run.llama.layers, "seconds_forecast": told, "seconds_by_slice": took,
        "forecast_off": told / took - 1, "seconds_of_all_layers": took * (whole / cut),
        "slice": run.figures,
    }  # fmt: skip
    of = f"{run.llama.layers} of {bench.scale.llama.layers} layers"
    tell(
        f"{pairs:,} pairs, one epoch, in full, {of}: {told / 60:.1f} minutes forecast, "
        f"{took / 60:.1f} by a slice ({told / took - 1:+.0%}); all layers "
        f"{found['seconds_of_all_layers'] / 60:.1f}"
    )
    return found


def forecast_seconds(bench: Bench, llama: Llama) -> float:
    """What the lab says of the training's steps, before it is launched."""
    folder = str(llama.folder(bench.models))
    training = training_of("full", bench.scale.batch, bench.scale.length)
    steps = math.ceil(bench.texts.spec.size / bench.scale.batch)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        settings = replace(bench.settings, home=Path(home))
        machine = calibrate(settings)
        asked = bench.texts.spec.with_changes(
            base=folder, training=training.model_copy(update={"steps": steps}), probe_size=0,
            score_base=False, metrics=("bleu",), test_limit=1,
        )  # fmt: skip
        spec = complete(asked, resolve_base(folder, settings))
        store = RunStore(settings)
        told = Forecaster(store).forecast(spec, bench.texts.drawn)
    release()
    assert told is not None and told.work.teaching is not None
    steps_alone = replace(told.work, teaching=replace(told.work.teaching, saves=0))
    unknown = Answers(1.0, 1.0)
    return seconds_of(steps_alone, unknown, unknown, machine)["train"]
