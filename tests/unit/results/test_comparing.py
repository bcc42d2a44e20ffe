"""Runs against runs, over seeds and segments."""

import pytest
import sacrebleu

from mtlab.errors import InputError
from mtlab.results.comparing import compare_systems
from mtlab.results.reading import read_segments
from mtlab.results.systems import System
from mtlab.runs.files import write_lines
from mtlab.spec import Direction

WAY = Direction.parse("de-en")


def compare_runs(baseline, system, direction, metric="bleu", **options):
    sides = System(tuple(baseline)), System(tuple(system))
    (found,) = compare_systems(sides, direction, (metric,), **options)
    return found


def compare_with_base(run):
    sides = System((run,), untuned=True), System((run,))
    (found,) = compare_systems(sides, WAY, ("bleu",))
    return found


def bleu(run):
    rows = read_segments(run.folder, WAY)
    return sacrebleu.corpus_bleu(
        [row["hypothesis"] for row in rows], [[row["reference"] for row in rows]]
    ).score


def test_the_values_are_the_means_of_sacrebleus_over_seeds(make_run):
    good = [make_run({"de-en": 0.2}, seed=seed) for seed in range(3)]
    poor = [make_run({"de-en": 0.4}, seed=seed, size=64) for seed in (2, 0, 1)]
    one = compare_runs(good, poor, WAY)
    assert one.baseline_value == pytest.approx(sum(map(bleu, good)) / 3)
    assert one.system_value == pytest.approx(sum(map(bleu, poor)) / 3)
    assert one.difference == one.system_value - one.baseline_value
    assert one.low < one.difference < one.high < 0
    assert (one.seeds, one.n, one.verdict) == (3, 80, "lower")
    assert "over:segments+seeds|same-seeds:yes" in one.signature
    assert any("3 seeds" in note for note in one.notes)
    other = [make_run({"de-en": 0.4}, seed=seed) for seed in (5, 6)]
    apart = compare_runs(good, other, WAY, names=("good", "other"))
    assert (apart.baseline, apart.system, apart.seeds) == ("good", "other", 2)
    assert "same-seeds:no" in apart.signature


def test_a_run_against_its_untuned_base(make_run):
    one = compare_with_base(make_run({"de-en": 0.2}, seed=4))
    assert one.baseline == "nano untuned" and one.verdict == "higher"
    assert one.seeds == 1 and any("other seeds" in note for note in one.notes)


def test_a_base_that_was_not_scored_says_so(make_run):
    run = make_run({"de-en": 0.2})
    path = run.folder / "translations" / "de-en.jsonl"
    write_lines(path, [{**row, "base": None} for row in read_segments(run.folder, WAY)])
    with pytest.raises(InputError, match=r"run-1 has not all of its untuned base's.*score_base"):
        compare_with_base(run)


def test_other_segments_are_refused_and_the_run_is_named(make_run):
    runs = [make_run({"de-en": 0.2}, test_seed=seed) for seed in (1, 9)]
    with pytest.raises(
        InputError, match=r"run-2 has other references than run run-1 in de-en \(segment 1\)"
    ):
        compare_runs(runs[:1], runs[1:], WAY)
    short = make_run({"de-en": 0.2}, n=30)
    with pytest.raises(InputError, match=r"run-3 has other sources .*\(30 segments against 80\)"):
        compare_runs(runs[:1], [short], WAY)


def test_what_cannot_be_compared_is_one_sentence(make_run):
    run, same = make_run({"de-en": 0.2}), make_run({"de-en": 0.2})
    with pytest.raises(InputError, match="no run to compare"):
        compare_runs([], [run], WAY)
    with pytest.raises(InputError, match="run-1 and run-2 have the same seed 0"):
        compare_runs([run, same], [run], WAY)
    with pytest.raises(InputError, match="run-1 has no 'comet' for the segments of de-en"):
        compare_runs([run], [same], WAY, "comet")
    with pytest.raises(InputError, match="no translations for fr-en"):
        compare_runs([run], [same], Direction.parse("fr-en"))


def test_comet_and_failures_come_from_what_the_run_wrote(make_run):
    one = make_run({"de-en": 0.2}, comet=0.7)
    other = make_run({"de-en": 0.2}, comet=0.8, off_target={"de-en": 0.25})
    comet = compare_runs([one], [other], WAY, "comet")
    assert comet.difference == pytest.approx(0.1) and comet.meaning.accuracy > 0.9
    lost = compare_runs([one], [other], WAY, "off-target")
    assert (lost.baseline_value, lost.system_value) == (0, 0.25) and lost.verdict == "higher"


def test_a_run_against_itself_is_no_difference(make_run):
    run = make_run({"de-en": 0.2})
    one = compare_runs([run], [run], WAY)
    assert (one.difference, one.low, one.high, one.p_value) == (0, 0, 0, 1)
    assert one.verdict == "no difference found"


def test_one_segment_is_not_tested(make_run):
    one = compare_runs([make_run({"de-en": 0.2}, n=1)], [make_run({"de-en": 0.9}, n=1)], WAY)
    assert one.low is None and one.verdict == "not tested"
