"""Paired tests, held against sacrebleu's own, and against what chance does."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from mtlab.errors import InputError
from mtlab.scoring.bootstrap import SEED
from mtlab.scoring.comparison import Comparison, corrected, holm
from mtlab.scoring.lexical import lexical_scores
from mtlab.scoring.sampling import Sampled, joined, sample, seed_averages
from mtlab.scoring.significance import (
    Names,
    compare_conditions,
    compare_systems,
    sacrebleu_p,
    two_sided,
)
from mtlab.scoring.statistics import SegmentStatistics, mean_statistics
from mtlab.scoring.values import Score, Unavailable

WORDS = (
    "the old ferry leaves before noon and nobody on the quiet island knows why our neighbour "
    "bakes bread while rain falls over seven green hills near a mill with twelve windows"
).split()


def corpus(n: int, seed: int = 1) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(3, 25))) + "." for _ in range(n)]


def damaged(lines: list[str], share: float, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [
        " ".join(draw.choice(WORDS) if draw.random() < share else word for word in line.split())
        for line in lines
    ]


REFERENCES = corpus(150)
SYSTEMS = {
    "first": damaged(REFERENCES, 0.30, 2),
    "alike": damaged(REFERENCES, 0.31, 3),
    "worse": damaged(REFERENCES, 0.36, 4),
    "silent": [""] * len(REFERENCES),
}


def scored(systems: dict[str, list[str]], references: list[str]) -> dict[str, dict[str, Any]]:
    metrics = {m: lexical_scores(m, references, systems, "en") for m in ("bleu", "chrf")}
    return {name: {m: metrics[m][name] for m in metrics} for name in systems}


@pytest.mark.parametrize("seed", ["12345", "7"])
@pytest.mark.parametrize("n", [150, 7, 2])
def test_sacrebleus_own_paired_test(monkeypatch: pytest.MonkeyPatch, n: int, seed: str) -> None:
    monkeypatch.setenv("SACREBLEU_SEED", seed)
    systems = {name: lines[:n] for name, lines in SYSTEMS.items()}
    found = compare_systems(scored(systems, REFERENCES[:n]))
    _, theirs = PairedTest(
        list(systems.items()), {"bleu": BLEU(), "chrf": CHRF()}, [REFERENCES[:n]], test_type="bs"
    )()
    for name, key in (("bleu", "BLEU"), ("chrf", "chrF2")):
        ours = {one.system: one for one in found if one.metric == name}
        for place, system in enumerate(list(systems)[1:], 1):
            assert ours[system].p_value == theirs[key][place].p_value
            assert ours[system].system_value == theirs[key][place].score
            assert ours[system].baseline_value == theirs[key][0].score
            assert f"seed:{seed}|p:sacrebleu" in ours[system].signature


def test_what_sacrebleus_program_prints(tmp_path: Path) -> None:
    lines = {"ref": REFERENCES, **SYSTEMS}
    for name, texts in lines.items():
        (tmp_path / name).write_text("\n".join(texts) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", "ref", "-i", "first", "alike", "worse"]
    command += ["-m", "bleu", "chrf", "--paired-bs", "--format", "latex", "--width", "6"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, cwd=tmp_path)
    found = compare_systems(scored(SYSTEMS, REFERENCES))
    for system in ("alike", "worse"):
        (line,) = [row for row in done.stdout.splitlines() if row.strip().startswith(system)]
        printed = re.findall(r"& +([0-9.]+) .*?\(p = ([0-9.]+)\)", line)
        ours = [one for one in found if one.system == system]
        assert [(f"{o.system_value:.6f}", f"{o.p_value:.4f}") for o in ours] == printed


@pytest.mark.parametrize(("metric", "width"), [("bleu", 10), ("chrf", 18)])
def test_the_formulas_for_many_sums_are_sacrebleus(metric: str, width: int) -> None:
    draw = np.random.default_rng(3)
    sums = draw.integers(0, 40, size=(400, width)).astype(float)
    if metric == "bleu":  # what counts can be: matches within totals, totals that fall by order
        sums[:, 6:] = -np.sort(-sums[:, 6:], axis=1)
        sums[:, 2:6] = np.minimum(sums[:, 2:6], sums[:, 6:]) * draw.integers(0, 2, (400, 4))
    else:  # matches within both counts, now and then nothing at all
        sums[:, 2::3] = np.minimum(sums[:, 2::3], np.minimum(sums[:, 0::3], sums[:, 1::3]))
        sums[:9, 0::3] = 0
    scorer = BLEU() if metric == "bleu" else CHRF()
    ours = SegmentStatistics(metric, sums).scores(sums)
    theirs = [scorer._compute_score_from_stats(row).score for row in sums.tolist()]
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert 0 in theirs and max(theirs) > 20


def test_identical_outputs_are_no_difference() -> None:
    found = compare_systems(scored({"a": REFERENCES, "b": list(REFERENCES)}, REFERENCES))
    for one in found:
        assert (one.difference, one.low, one.high, one.p_value) == (0, 0, 0, 1)
        assert one.verdict == "no difference found" and not one.found and one.notes


def test_one_segment_has_a_difference_and_no_interval() -> None:
    systems = {"a": ["the old ferry leaves soon"], "b": ["the new ferry leaves soon"]}
    for one in compare_systems(scored(systems, ["the old ferry leaves soon"])):
        assert one.difference < 0
        assert one.low is None and one.high is None and one.p_value is None
        assert one.verdict == "not tested" and "one segment" in one.notes[0]
        json.dumps(one.to_json())


def test_comet_goes_through_the_same_draws_and_may_be_missing() -> None:
    draw = np.random.default_rng(0)
    values = draw.normal(0.8, 0.05, 60)
    other = values - 0.02 + draw.normal(0, 0.04, 60)

    def score(segments: Any) -> Score:
        return Score("comet", float(np.mean(segments)), 0, 1, 60, "", SEED, tuple(segments))

    (one,) = compare_systems({"a": {"comet": score(values)}, "b": {"comet": score(other)}})
    drawn = np.random.default_rng(SEED).choice(60, size=(1000, 60), replace=True)
    differences = np.sort((other - values)[drawn].mean(axis=1))
    assert (one.low, one.high) == pytest.approx((differences[25], differences[974]))
    missing = Unavailable("comet", "no hub", "go online")
    assert compare_systems({"a": {"comet": missing}, "b": {"comet": score(other)}}) == ()
    assert compare_systems({"a": {"comet": score(values)}, "b": {"comet": missing}}) == ()
    shifted = compare_systems({"a": {"comet": score(values)}, "b": {"comet": score(values + 0.1)}})
    assert shifted[0].low == pytest.approx(0.1) == shifted[0].high  # no variance at all
    assert shifted[0].verdict == "higher"


def test_one_system_is_compared_with_nothing() -> None:
    assert compare_systems(scored({"a": REFERENCES}, REFERENCES)) == ()
    assert compare_systems({}) == ()


def test_holms_correction_by_hand() -> None:
    # Sorted: 0.001 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1 -> raised to 0.06.
    assert holm([0.04, 0.001, 0.03, 0.01]) == pytest.approx([0.06, 0.004, 0.06, 0.03])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_every_comparison_of_a_call_is_corrected_together() -> None:
    found = compare_systems(scored(SYSTEMS, REFERENCES))
    assert [one.compared for one in found] == [6] * 6
    assert [one.p_corrected for one in found] == pytest.approx(holm([o.p_value for o in found]))
    by_system = {(one.system, one.metric): one for one in found}
    assert by_system["worse", "bleu"].verdict == "lower"
    assert by_system["alike", "bleu"].verdict == "no difference found"


def conditions(spread: float, seeds: int, gap: float, draw: np.random.Generator) -> list[Sampled]:
    """Two conditions of normal segment scores; every seed is off by its own amount."""
    made = []
    for shift in (0.0, gap):
        offsets = draw.normal(0, spread, seeds)
        runs = [mean_statistics("comet", draw.normal(shift + o, 1, 100)) for o in offsets]
        made.append(joined(sample(runs, SEED)))
    return made


def compared(pair: list[Sampled], *, paired: bool) -> Comparison:
    return compare_conditions("comet", Names("a", "b"), *pair, paired=paired)


def test_with_one_seed_it_is_the_segment_bootstrap_and_says_so() -> None:
    one = compared(conditions(0.0, 1, 0.5, np.random.default_rng(5)), paired=True)
    assert one.seeds == 1 and "nothing about other seeds" in one.notes[0]
    assert "over:segments|" in one.signature
    assert one.low is not None and one.low < one.difference


def test_seeds_that_differ_widen_the_interval() -> None:
    draw = np.random.default_rng(6)
    calm = compared(conditions(0.0, 5, 0.5, draw), paired=False)
    wild = compared(conditions(1.0, 5, 0.5, draw), paired=False)
    assert (wild.high or 0) - (wild.low or 0) > 2 * ((calm.high or 0) - (calm.low or 0))
    assert calm.verdict == "higher" and calm.seeds == 5


def test_seeds_in_common_are_drawn_together() -> None:
    """What a seed adds to both conditions cancels when the same seeds are drawn for both."""
    draw = np.random.default_rng(7)
    offsets = draw.normal(0, 3, 5)
    segments = draw.normal(0, 1, 100)
    pair = [
        joined(sample([mean_statistics("comet", segments + o + gap) for o in offsets], SEED))
        for gap in (0.0, 0.2)
    ]
    together, apart = compared(pair, paired=True), compared(pair, paired=False)
    assert (together.low, together.high) == pytest.approx((0.2, 0.2))
    assert apart.low is not None and apart.low < 0 and apart.verdict == "no difference found"


def test_seeds_are_drawn_as_documented() -> None:
    runs = [mean_statistics("comet", np.arange(10.0) * k) for k in (1, 2, 3)]
    one = joined(sample(runs, SEED))
    (average,) = seed_averages([one], paired=True)
    picks = np.random.default_rng([SEED, 1]).integers(3, size=(2, 1000))
    assert one.draws is not None and average is not None
    by_hand = [one.draws[picks[:, b], b].mean() for b in range(1000)]
    assert average == pytest.approx(by_hand)


def test_a_difference_that_is_none_is_found_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(8)
    found = [compared(conditions(0.0, 1, 0.0, draw), paired=False) for _ in range(300)]
    share = sum((one.p_value or 0) < 0.05 for one in found) / len(found)
    assert 0.01 <= share <= 0.09


def test_sacrebleus_p_finds_what_is_not_there_twice_as_often() -> None:
    """Why findings rest on the two-sided p-value, and `found` asks the interval as well."""
    draw = np.random.default_rng(10)
    observed = draw.normal(size=3000)
    resampled = observed[:, None] + draw.normal(size=(3000, 1000))
    theirs = [
        sacrebleu_p(row, value) < 0.05 for row, value in zip(resampled, observed, strict=True)
    ]
    ours = [two_sided(row) < 0.05 for row in resampled]
    assert 0.08 <= np.mean(theirs) <= 0.13
    assert 0.035 <= np.mean(ours) <= 0.065


def test_a_difference_over_few_seeds_is_not_found_far_too_often() -> None:
    """Seeds differ more than segments do: an interval over segments alone would be wrong."""
    draw = np.random.default_rng(9)
    pairs = [conditions(0.5, 5, 0.0, draw) for _ in range(200)]
    jointly = sum(compared(pair, paired=False).p_value < 0.05 for pair in pairs) / len(pairs)
    alone = [[Sampled(s.values[:1], s.draws[:1], s.n) for s in pair] for pair in pairs]
    by_segments = sum(compared(pair, paired=False).p_value < 0.05 for pair in alone) / len(alone)
    assert jointly <= 0.12 < 0.4 < by_segments


def test_the_two_sided_p_goes_with_the_interval() -> None:
    draws = np.linspace(-1, 39, 1000)  # 25 of 1000 under zero
    assert two_sided(draws) == pytest.approx(2 * 26 / 1001)
    assert two_sided(np.zeros(10)) == 1.0
    assert two_sided(np.ones(999)) == pytest.approx(0.002)


def test_unequal_lengths_are_refused_in_one_sentence() -> None:
    short, long = mean_statistics("comet", [1.0, 2.0]), mean_statistics("comet", [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match=r"unequal numbers of segments \(2, 3\)"):
        sample([short, long], SEED)
    with pytest.raises(InputError, match="2 segments of 'a' against 3 of 'b'"):
        compared([*sample([short], SEED), *sample([long], SEED)], paired=True)


def test_one_segment_and_no_segment_left_give_no_interval() -> None:
    one = compared([*sample([mean_statistics("comet", [1.0])], SEED)] * 2, paired=True)
    assert one.low is None and one.verdict == "not tested" and "one segment" in one.notes[0]
    few = mean_statistics("comet", [1.0, 2.0, 3.0]).where(np.array([True, False, False]))
    none = compared([*sample([few], SEED)] * 2, paired=True)
    assert none.low is None and "no segment is left" in none.notes[0]


def test_corrected_leaves_out_what_was_not_tested() -> None:
    tested = compared(conditions(0.0, 1, 0.5, np.random.default_rng(1)), paired=True)
    untested = compared([*sample([mean_statistics("comet", [1.0])], SEED)] * 2, paired=True)
    first, second, third = corrected([tested, untested, tested])
    assert first.compared == third.compared == 2 and second.p_corrected is None
