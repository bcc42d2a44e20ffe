"""Fit the constants of `mtlab.forecasting.physics` to real runs on this machine.

    python -m benchmarks.forecast_fit HOME

Makes the runs of `GRID` in a home, those that are there already excepted, then prints constants
that leave the least relative error, phase by phase, and how far each run's memory is off. None of
the runs is one that `benchmarks.forecast` holds the forecast against. About fifteen minutes on two
idle cores.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.forecast import random_model
from mtlab import Lab, RunSpec
from mtlab.forecasting import calibrate
from mtlab.forecasting.experience import Lesson, lesson_of
from mtlab.forecasting.machine import Machine, machine_of
from mtlab.forecasting.memory import memory_of
from mtlab.forecasting.physics import CONSTANTS, Answers, terms_of
from mtlab.settings import Settings

_LEAST = 0.3  # seconds: a shorter phase says nothing
_RIDGE, _ROUNDS, _SMALLEST = 0.005, 300, 0.1
_FEW = {"training": {"method": "few-shot"}}
_MODELS = {"27 M": (512, 6), "98 M": (768, 12)}


def _nano(size: int, train: str, test_limit: int, **training: Any) -> dict[str, Any]:
    return {
        "base": "nano",
        "metrics": ("bleu", "chrf"),
        "size": size,
        "train": tuple(train.split()),
        "test_limit": test_limit,
        "training": training,
    }


def _random(model: str, size: int, train: str, test_limit: int, **training: Any) -> dict[str, Any]:
    one = _nano(size, train, test_limit, **training)
    return {**one, "base": model, "decoding": {"max_new_tokens": 40}, "probe_size": 4}


GRID: tuple[dict[str, Any], ...] = (
    _nano(24, "de-en", 40, method="full"),
    _nano(512, "de-en en-de", 100, method="full"),
    _nano(100, "en-fr fr-en en-de", 24, method="full", batch_size=32),
    _nano(300, "en-is", 80, method="full", batch_size=8),
    _nano(40, "fr-en en-fr", 60, method="lora"),
    _nano(400, "de-en", 100, method="lora"),
    _nano(200, "en-de de-en", 32, method="lora", batch_size=4, steps=40),
    {**_nano(64, "en-de", 50, method="full"), "decoding": {"strategy": "greedy"}},
    {"base": "nano", "metrics": ("bleu",), "size": 2, "test": ("de-en",), "test_limit": 60, **_FEW},
    {"base": "nano", "metrics": ("bleu",), "size": 5, "test": ("en-fr",), "test_limit": 30, **_FEW},
    _random("27 M", 48, "de-en", 32, method="lora", steps=10),
    _random("27 M", 200, "en-de", 24, method="full", steps=16),
    _random("27 M", 64, "fr-en en-fr", 12, method="full", steps=8, batch_size=4),
    _random("98 M", 40, "en-fr", 12, method="lora", steps=8),
    _random("98 M", 96, "de-en en-de", 8, method="full", steps=6, batch_size=8),
    _random("98 M", 24, "fr-en", 20, method="full", steps=4, batch_size=4),
    _random("98 M", 60, "en-de", 24, method="lora", steps=15, batch_size=4),
)


def main() -> int:
    """Make the runs and print the fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    home = parser.parse_args().home
    settings = replace(Settings.from_environment(), home=home.absolute(), spare_minutes=0)
    if not machine_of(settings).is_measured:
        calibrate(settings, lambda text: print(f"measuring: {text}", file=sys.stderr))
    lab = Lab(settings)
    lessons = list(_lessons(lab, home))
    lab.close()
    _times(lessons, machine_of(settings))
    _memory(lessons)
    return 0


def _lessons(lab: Lab, home: Path) -> Iterable[Lesson]:
    folders = {name: home / name.replace(" ", "") for name in _MODELS}
    for name, (width, layers) in _MODELS.items():
        if not folders[name].is_dir():
            random_model(folders[name], width=width, layers=layers)
    done = {run.spec: run for run in lab.runs() if run.status().state == "finished"}
    for fields in GRID:
        base = str(folders.get(fields["base"], fields["base"]))
        spec = lab.preview(RunSpec(**{**fields, "base": base}), n=1).spec
        run = done.get(spec) or lab.launch(spec)
        run.wait()
        lesson = lesson_of(lab.store, lab.store.get(run.id))
        if lesson is None:
            raise RuntimeError(f"{run.id} teaches nothing: {run.status().sentence}")
        took = ", ".join(f"{phase} {taken:.1f}" for phase, taken in lesson.seconds.items())
        print(f"{Path(base).name} {spec.training.method} {spec.size}: {took}", flush=True)
        yield lesson


def _times(lessons: Sequence[Lesson], machine: Machine) -> None:
    """Print constants that leave the least squares of relative errors, drawn to those there are."""
    constants = CONSTANTS[machine.precision]
    names = list(constants)
    rows: list[list[float]] = []
    said: list[str] = []
    for lesson in lessons:
        terms = terms_of(lesson.work, *_answers(lesson), machine)
        for phase, taken in lesson.seconds.items():
            causes = terms.get(phase)  # type: ignore[call-overload]
            if causes and taken > _LEAST:
                rows.append([constants[name] * causes.get(name, 0.0) / taken for name in names])
                said.append(f"{lesson.run} {lesson.spec.training.method} {phase} {taken:.1f} s")
    matrix = np.array(rows)
    factors = _fitted(matrix)
    for what, before, after in zip(said, matrix.sum(axis=1), matrix @ factors, strict=True):
        print(f"{what:50} {before - 1:+5.0%} {after - 1:+5.0%}")
    for name, factor in zip(names, factors, strict=True):
        print(f"{name:14} {constants[name]:8.3f} -> {factor * constants[name]:8.3f}")


def _answers(lesson: Lesson) -> tuple[Answers, Answers]:
    own = lesson.answers("decode")
    assert own is not None
    return lesson.answers("base") or own, own


def _fitted(matrix: np.ndarray) -> np.ndarray:
    """Positive factors x that leave the least |matrix x - 1|² + ridge |x - 1|²."""
    rows, columns = matrix.shape
    square = matrix.T @ matrix + _RIDGE * np.eye(columns)
    towards = matrix.sum(axis=0) + _RIDGE
    factors = np.ones(columns)
    for _ in range(_ROUNDS):
        for place in range(columns):
            others = square[place] @ factors - square[place, place] * factors[place]
            factors[place] = max(_SMALLEST, (towards[place] - others) / square[place, place])
    return factors


def _memory(lessons: Sequence[Lesson]) -> None:
    for lesson in lessons:
        told = memory_of(lesson.work, lesson.spec.training, *_answers(lesson))
        kind = f"{lesson.run} {lesson.spec.training.method}"
        print(f"{kind:40} {lesson.peak / 1e6:6.0f} MB, told {told / lesson.peak - 1:+5.1%}")


if __name__ == "__main__":
    sys.exit(main())
