"""Gated scores: a failed segment counts nothing for COMET, and BLEU and chrF stay as they are."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mtlab.scoring import Score, score_systems
from mtlab.scoring.bootstrap import mean_interval, resamples
from mtlab.scoring.failures import Verdict
from mtlab.scoring.gating import gate
from mtlab.scoring.values import Gated
from mtlab.spec import Direction

COPY = Verdict(("copy", "off-target"), "de")


def score(metric: str, segments: list[float]) -> Score:
    values = np.asarray(segments)
    low, high = mean_interval(values, 12345) if len(segments) > 1 else (None, None)
    return Score(
        metric=metric, value=float(values.mean()), low=low, high=high, n=len(segments),
        signature="", seed=12345, segments=tuple(segments),
    )  # fmt: skip


def test_a_failed_segment_counts_zero_for_comet_over_the_same_draws() -> None:
    raw = score("comet", [0.8, 0.6, 0.7, 0.9])
    gated = gate(raw, [Verdict(), COPY, Verdict(), Verdict(("empty",))]).gated
    assert gated is not None
    assert gated.value == pytest.approx((0.8 + 0.7) / 4)
    assert gated.failed == 2
    values = np.asarray([0.8, 0.0, 0.7, 0.0])
    means = np.sort(np.concatenate([counts @ values / 4 for counts in resamples(4, 12345)]))
    assert (gated.low, gated.high) == (means[25], means[-26])
    assert gate(raw, [Verdict()] * 4).gated == Gated(raw.value, raw.low, raw.high, 0)


def test_bleu_and_chrf_are_taken_as_they_fall() -> None:
    for metric in ("bleu", "chrf"):
        raw = score(metric, [30.0, 40.0])
        assert gate(raw, [COPY, Verdict()]).gated == Gated(raw.value, raw.low, raw.high, 1)


def test_one_segment_is_gated_without_an_interval() -> None:
    assert gate(score("comet", [0.5]), [COPY]).gated == Gated(0.0, None, None, 1)


def test_json_keeps_its_shape_and_adds_what_is_new() -> None:
    source = "Der Zug nach Bremen fährt heute leider nicht."
    reference = "Sadly, the train to Bremen is not running today."
    both = score_systems(
        Direction.parse("de-en"), [source] * 2, [reference] * 2, {"a": [source, reference]},
        ("bleu",),
    )["a"]  # fmt: skip
    data = json.loads(json.dumps(both.to_json()))
    assert data["bleu"]["gated"]["failed"] == 1
    assert data["bleu"]["gated"]["value"] == data["bleu"]["value"]
    assert data["failures"]["off-target"] == data["failures"]["copy"] == 0.5
    assert data["stacked"]["copy"] == 0.5 and sum(data["stacked"].values()) == 0.5
    assert data["languages"] == {"de": 0.5}
    assert both.flags == (("copy", "off-target"), ())
