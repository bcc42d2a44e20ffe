"""Findings sorted to their plots; and gated COMET as a metric of its own."""

from dataclasses import replace

import pytest

from mtlab.results.evidence import Reader
from mtlab.results.findings import Finding, findings
from mtlab.results.headlines import SECTIONS, headlines
from mtlab.scoring.comparison import Comparison
from mtlab.scoring.values import Unavailable
from mtlab.spec import Direction

COMPARISON = Comparison(
    metric="bleu", baseline="a", system="b", baseline_value=10.0, system_value=14.0,
    difference=4.0, low=3.0, high=5.0, p_value=0.001, p_corrected=0.001, n=8, signature="s",
    seed=1, meaning=Unavailable("bleu", "", ""),
)  # fmt: skip


def finding(kind, topic, difference=4.0, found=True):
    comparison = replace(COMPARISON, difference=difference, p_corrected=0.001 if found else 0.9)
    return Finding(kind, topic, f"{topic} {difference}.", (), comparison, ("a", "b"), {})


def test_every_finding_stands_in_one_section_and_a_new_kind_has_a_place():
    made = [
        finding("size", "step"), finding("base", "untuned"), finding("base", "bases"),
        finding("direction", "transfer"), finding("direction", "derailing"),
        finding("noise", "sides"), finding("reverse", "never heard of"),
    ]  # fmt: skip
    parts = headlines(made)
    assert tuple(parts) == SECTIONS
    topics = {name: [one.topic for one in part.found] for name, part in parts.items()}
    assert topics == {
        "size": ["untuned", "step"], "transfer": ["transfer"], "noise": ["sides"],
        "failures": ["derailing"], "other": ["bases", "never heard of"],
    }  # fmt: skip


def test_topics_take_turns_and_the_largest_difference_leads():
    made = [finding("size", "untuned", size) for size in (1.0, -9.0, 5.0)]
    made += [finding("size", "saturation", 0.1, found=False), finding("size", "step", 2.0)]
    made += [finding("size", "step", 0.2, found=False)]
    part = headlines(made)["size"]
    said = [(one.topic, one.comparison.difference) for one in part.found]
    assert said == [
        ("untuned", -9.0), ("saturation", 0.1), ("step", 2.0), ("untuned", 5.0), ("untuned", 1.0)
    ]  # fmt: skip
    assert [one.comparison.difference for one in part.nothing] == [0.2]
    assert len(part) == 6


def test_gated_comet_counts_failed_segments_zero_in_findings(make_run, home):
    clean = make_run({"de-en": 0.1}, comet=0.8, size=64)
    lost = make_run(
        {"de-en": 0.1}, comet=0.8, size=64, off_target={"de-en": 0.5},
        noise={"kind": "word", "side": "target"},
    )  # fmt: skip
    direction = Direction.of("de-en")
    raw, gated = (
        Reader().statistics(lost, direction, metric).score() for metric in ("comet", "gated-comet")
    )
    assert gated == pytest.approx(raw / 2, rel=0.02)
    (one,) = [f for f in findings([clean, lost], home, ("gated-comet",)) if f.kind == "noise"]
    assert one.found and "gated COMET by 0.4" in one.sentence
    (one,) = [f for f in findings([clean, lost], home, ("comet",)) if f.kind == "noise"]
    assert not one.found
