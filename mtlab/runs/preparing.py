"""A run's data: the pairs it trains on and its test sets, the same for every attempt.

They are prepared before torch is imported, unless noise needs a translator.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mtlab.corpora import Corpus, Draw, Pair, corpora_for, draw_for
from mtlab.noise import NoisyPair, corrupt
from mtlab.runs import provenance
from mtlab.runs.files import write_lines
from mtlab.runs.reporting import Reporter
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

Tests = dict[Direction, tuple[Pair, ...]]


def prepare(
    folder: Path,
    spec: RunSpec,
    settings: Settings,
    reporter: Reporter,
    stop_if_asked: Callable[[], None],
) -> tuple[tuple[NoisyPair, ...], Tests]:
    """The pairs, written to `train.jsonl` as they will be trained on, and the test sets.

    Args:
        folder: the run's.
        spec: complete.
        settings: the lab's.
        reporter: told how far the noise is.
        stop_if_asked: called after each noisy pair; raises to end it there.

    Raises:
        MtlabError: the data cannot be had: says why.
        OSError: a file cannot be written.
    """
    corpora = corpora_for(spec, settings)
    drawn = draw_for(spec, settings)
    pairs = _corrupted(drawn, corpora.train, spec, settings, reporter, stop_if_asked)
    lines = [
        {**pair.to_json(), "reversed": True} if place in drawn.reversed else pair.to_json()
        for place, pair in enumerate(pairs)
    ]
    write_lines(folder / "train.jsonl", lines)
    tests = {
        direction: corpora.test.test(direction)[: spec.test_limit] for direction in spec.tested
    }
    provenance.record(
        folder,
        versions=provenance.versions(),
        machine=provenance.machine(),
        pools=drawn.pool_sizes,
        removed_for_standing_in_the_test_set=drawn.removed,
        noisy_pairs=sum(bool(pair.touched) for pair in pairs),
        reversed_pairs=len(drawn.reversed),
        digests={
            "train": {str(d): corpora.train.digest(d, "train") for d in spec.drawn},
            "test": {str(d): corpora.test.digest(d, "test") for d in spec.tested},
            "pairs": provenance.digest([pair.to_json() for pair in pairs]),
        },
        segments={str(direction): len(segments) for direction, segments in tests.items()},
        **_told(spec, drawn, settings),
    )
    return pairs, tests


def _told(spec: RunSpec, drawn: Draw, settings: Settings) -> dict[str, Any]:
    """The run's forecast, to be compared with what it took, and the work it rests on: later
    forecasts learn from both. Empty where it cannot be told: no run fails for that.
    """
    from mtlab.forecasting import Forecaster
    from mtlab.runs.store import RunStore

    try:
        store = RunStore(settings)
        told = Forecaster(store).forecast(spec, drawn)
    except Exception:  # noqa: BLE001 - no run is refused for want of its forecast
        traceback.print_exc()
        return {}
    return {} if told is None else {"forecast": told.to_json(), "work": told.work.to_json()}


def _corrupted(
    drawn: Draw,
    corpus: Corpus,
    spec: RunSpec,
    settings: Settings,
    reporter: Reporter,
    stop_if_asked: Callable[[], None],
) -> tuple[NoisyPair, ...]:
    """The pairs as they will be trained on; loads a translator if noise needs one."""
    from mtlab.runs.resident import Resident
    from mtlab.runs.store import RunStore
    from mtlab.runs.translators import translator_for

    translator = None
    if spec.noise.translator is not None:
        translator = translator_for(spec, RunStore(settings), Resident(settings))

    def on_progress(done: int, total: int) -> None:
        reporter.progress(done / max(1, total), f"noise {done}/{total}")
        stop_if_asked()

    try:
        return corrupt(
            drawn.pairs,
            spec.noise,
            spec.seed,
            corpus,
            settings,
            order=drawn.order,
            translator=translator,
            on_progress=on_progress,
        )
    finally:
        if translator is not None:
            translator.release()
