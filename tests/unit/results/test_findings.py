"""Findings on runs whose truth is known, because the tests wrote it."""

import json

import pytest

from mtlab.results.conditions import conditions
from mtlab.results.findings import findings
from mtlab.settings import Settings

SIX = ("en-de", "de-en", "en-fr", "fr-en", "de-fr", "fr-de")
WORD = {"kind": "word", "side": "target"}


def on(found, topic, direction=None):
    return [
        one
        for one in found
        if one.topic == topic and (direction is None or str(one.directions[0]) == direction)
    ]


def seeds(make_run, n, *arguments, **fields):
    return [make_run(*arguments, seed=seed, **fields) for seed in range(n)]


def test_nothing_to_compare_finds_nothing_but_the_base(make_run, home):
    assert findings([], home) == []
    (only,) = findings([make_run({"de-en": 0.2}, size=16)], home)
    assert only.kind == "base" and only.runs == ("run-1",)
    assert only.sentence.startswith(
        "Fine-tuning on 16 pairs (de-en alone) raises nano's de-en BLEU by "
    )
    assert "over the untuned model (95% interval" in only.sentence
    assert only.sentence.endswith("1 seed).")


def test_noise_lowers_and_off_target_output_explains_a_part(make_run, home):
    runs = seeds(make_run, 3, {"de-en": 0.2})
    runs += seeds(make_run, 3, {"de-en": 0.4}, noise=WORD, off_target={"de-en": 0.2})
    (one,) = on(findings(runs, home), "against clean")
    assert one.found and one.comparison.seeds == 3
    size = f"{-one.comparison.difference:.1f}"
    part = f"{-one.more['explained']:.1f}"
    low, high = (f"{-end:.1f}" for end in (one.comparison.high, one.comparison.low))
    assert one.sentence == (
        "Target-side word noise (32 pairs, de-en alone) lowers nano's de-en BLEU by "
        f"{size} (95% interval {low} to {high}, 3 seeds); off-target output explains {part} of it."
    )
    assert 0 < -one.more["explained"] < -one.comparison.difference
    assert one.more["on_target_segments"] == 64
    assert one.runs == tuple(f"run-{number}" for number in range(1, 7))


def test_all_that_off_target_output_costs_is_explained(make_run, home):
    """The same words, but a fifth of the output in another language: that is all there is."""
    from mtlab.results.reading import read_segments
    from mtlab.runs.files import write_lines
    from mtlab.spec import Direction

    way = Direction.parse("de-en")
    clean, noisy = make_run({"de-en": 0.2}), make_run({"de-en": 0.2}, noise=WORD)
    rows = read_segments(clean.folder, way)
    for row in rows[:16]:
        row.update(hypothesis="wo bin ich denn", failures=["off-target"])
    write_lines(noisy.folder / "translations" / "de-en.jsonl", rows)
    (one,) = on(findings([clean, noisy], home), "against clean")
    assert one.more["explained"] == pytest.approx(one.comparison.difference)
    assert one.sentence.endswith("off-target output explains all of it.")


def test_no_difference_is_said_when_there_is_none(make_run, home):
    runs = seeds(make_run, 2, {"de-en": 0.3}) + seeds(make_run, 2, {"de-en": 0.3}, noise=WORD)
    (one,) = on(findings(runs, home), "against clean")
    assert not one.found
    assert "no difference found in nano's de-en BLEU (" in one.sentence
    assert "95% interval -" in one.sentence and "2 seeds" in one.sentence


def test_size_steps_and_where_more_stops_helping(make_run, home):
    runs = [
        run
        for size, harm in ((16, 0.6), (32, 0.2), (256, 0.2), (1024, 0.2))
        for run in seeds(make_run, 2, {"de-en": harm}, size=size)
    ]
    found = findings(runs, home)
    steps = on(found, "step")
    assert [one.found for one in steps] == [True, False, False]
    assert steps[0].sentence.startswith("Going from 16 to 32 pairs (de-en alone) raises nano's")
    (flat,) = on(found, "saturation")
    assert flat.sentence.startswith(
        "Going from 32 to 1,024 pairs (de-en alone): no difference found in nano's de-en BLEU ("
    )
    # 3 steps, 2 more against the largest, and the untuned base: one family of comparisons.
    assert {one.comparison.compared for one in found} == {6}


def test_growth_to_the_end_has_no_saturation(make_run, home):
    runs = [
        make_run({"de-en": harm}, size=size)
        for size, harm in ((16, 0.7), (32, 0.5), (64, 0.3), (128, 0.1))
    ]
    found = findings(runs, home)
    assert all(one.found for one in on(found, "step")) and not on(found, "saturation")


def test_one_direction_against_all_transfer_and_derailing(make_run, home):
    fine = dict.fromkeys(SIX, 0.2)
    runs = [make_run(fine, train=SIX)]
    runs += [make_run({**fine, "en-fr": 0.5}, train=["en-de"])]
    runs += [make_run(fine, train=["de-en"], off_target={"fr-de": 0.9, "en-de": 0.6})]
    found = findings(runs, home)
    (worse,) = [o for o in on(found, "fewer", "en-fr") if "run-2" in o.runs]
    assert worse.found and worse.sentence.startswith(
        "Training on en-de alone in place of 6 directions (32 pairs) lowers nano's en-fr BLEU by"
    )
    (kept,) = [one for one in on(found, "transfer") if "run-2" in one.runs]
    assert kept.found and 0.5 < kept.more["ratio_low"] < kept.more["ratio"] < 1
    assert kept.sentence.startswith("Trained on en-de alone (32 pairs), nano keeps ")
    assert kept.sentence.endswith("training on 6 directions gives, over the 5 other directions.")
    (lost,) = on(found, "derailing", "fr-de")
    assert lost.found and lost.comparison.system_value == pytest.approx(0.9)
    assert lost.sentence.startswith(
        "With English as the only target (de-en alone, 32 pairs), 90% of nano's fr-de output is in "
        "another language than asked for, against 0% after 6 directions: 90 points more (95% "
        "interval 82 to 96, 1 seed)."
    )
    (calm,) = on(found, "derailing", "de-fr")
    assert not calm.found and "no difference found" in calm.sentence
    assert not on(found, "derailing", "de-en") and not on(found, "derailing", "fr-en")
    json.dumps([one.to_json() for one in found])


def test_target_side_against_source_side(make_run, home):
    runs = [make_run({"de-en": 0.2}, noise={**WORD, "side": "source"})]
    runs += [make_run({"de-en": 0.5}, noise=WORD)]
    (one,) = on(findings(runs, home), "sides")
    assert one.sentence.startswith(
        "Word noise on the target side in place of the source side (32 pairs, de-en alone) lowers"
    )


@pytest.mark.parametrize("together", [True, False])
def test_a_language_hardly_seen_loses_less(make_run, home, together):
    losses = {None: {"en-de": 0.1, "en-is": 0.5}, "word": {"en-de": 0.6, "en-is": 0.5}}
    trained = [("en-de", "en-is")] if together else [("en-de",), ("en-is",)]
    runs = [
        make_run(harm, train=train, noise=WORD if kind else {})
        for train in trained
        for kind, harm in losses.items()
    ]
    found = on(findings(runs, home), "hardly seen")
    (one,) = [one for one in found if len(one.runs) == len(runs)]
    assert one.found and [str(way) for way in one.directions] == ["en-de", "en-is"]
    where = "en-de and en-is" if together else "each trained alone"
    assert one.sentence.startswith(
        f"Target-side word noise (32 pairs, {where}) costs nano's en-de "
    )
    assert " BLEU more than en-is (95% interval " in one.sentence
    heights = one.more["first_baseline"], one.more["second_baseline"]
    assert one.sentence.endswith(
        "; clean, en-de and en-is score {:.1f} and {:.1f}.".format(*heights)
    )


def test_another_base_with_its_own_defaults_differs_in_the_base_alone(make_run, home):
    runs = [make_run({"de-en": 0.2}), make_run({"de-en": 0.5}, base="qwen3-0.6b")]
    assert runs[0].spec.training != runs[1].spec.training
    (one,) = on(findings(runs, home), "bases")
    assert one.found and one.sentence.startswith(
        "Starting from qwen3-0.6b in place of nano (32 pairs, de-en alone) lowers de-en BLEU by "
    )
    chosen = make_run({"de-en": 0.5}, base="qwen3-0.6b", training={"steps": 7})
    assert on(findings([runs[0], chosen], home), "bases") == []


def test_conditions_ignore_what_makes_no_other_model(make_run, home):
    runs = [make_run({"de-en": 0.2}, name="a"), make_run({"de-en": 0.2}, name="b", seed=1)]
    runs += [make_run({"de-en": 0.2, "en-de": 0.2}, metrics=("chrf",), probe_size=0, seed=2)]
    (one,) = conditions(runs, home)
    assert one.seeds == (0, 1, 2) and [str(way) for way in one.tested] == ["de-en"]
    more = [make_run({"de-en": 0.2}, training={"steps": 99}), make_run({"de-en": 0.2}, size=512)]
    others = conditions([*runs, *more], home)
    assert [other.differs_in(one) for other in others[1:]] == [("rest",), ("size",)]
    lora = make_run({"de-en": 0.2}, training={"method": "lora"})
    assert conditions([lora, runs[0]], home)[0].differs_in(one) == ("method",)
    noisy = make_run({"de-en": 0.2}, noise={**WORD, "ratio": 0})
    assert len(conditions([runs[0], noisy], home)) == 1


def test_sentences_tell_conditions_apart_that_differ_in_what_is_not_asked(make_run, home):
    choices = ({}, {"reverse": 0.25}, {"training": {"steps": 7}}, {"training": {"method": "lora"}})
    runs = [make_run({"de-en": 0.3}, size=size, **one) for one in choices for size in (32, 64)]
    found = on(findings(runs, home), "step")
    said = [one.sentence.partition(")")[0].partition("(")[2] for one in found]
    assert said == [
        "de-en alone", "de-en alone, 25% reversed", "de-en alone, 7 steps", "de-en alone, LoRA",
    ]  # fmt: skip


def test_the_untuned_model_is_held_against_its_plainest_fine_tuning_alone(make_run, home):
    choices = ({"size": 64}, {}, {"reverse": 0.25}, {"training": {"steps": 7}}, {"noise": WORD})
    runs = [make_run({"de-en": 0.3}, **one) for one in choices]
    (only,) = on(findings(runs, home), "untuned")
    assert only.sentence.startswith("Fine-tuning on 32 pairs (de-en alone) raises")


def test_runs_on_other_segments_are_not_compared(make_run, home):
    runs = [make_run({"de-en": 0.2}), make_run({"de-en": 0.2}, noise=WORD, test_seed=5)]
    assert not on(findings(runs, home), "against clean")


def test_without_failures_and_comet_the_rest_is_still_said(make_run, home):
    from mtlab.runs.files import read_lines, write_lines

    runs = [make_run({"de-en": 0.2}), make_run({"de-en": 0.5}, noise=WORD)]
    for run in runs:
        path = run.folder / "translations" / "de-en.jsonl"
        write_lines(path, [{**row, "failures": None} for row in read_lines(path)])
    (one,) = on(findings(runs, home), "against clean")
    assert one.found and "off-target" not in one.sentence
    assert on(findings(runs, home, metrics=("comet",)), "against clean") == []


def test_one_segment_is_said_to_be_untested(make_run, home):
    runs = [make_run({"de-en": 0.2}, n=1), make_run({"de-en": 0.5}, n=1, noise=WORD)]
    (one,) = on(findings(runs, home), "against clean")
    assert not one.found and "not tested" in one.sentence and "one segment" in one.sentence


def test_a_grid_in_which_nothing_differs_finds_nothing(make_run, home: Settings):
    """Twelve conditions of equal quality: uncorrected, some pair would look different."""
    runs = [
        make_run({"de-en": 0.4, "en-de": 0.4}, size=size, noise=noise)
        for size in (16, 32, 64, 128)
        for noise in ({}, WORD, {**WORD, "side": "source"})
    ]
    found = [one for one in findings(runs, home) if one.topic != "untuned"]
    assert len(found) > 30
    assert sum(one.found for one in found) == 0
    # Alone, some would have been called a difference: the sentence says what decided.
    decided = [one for one in found if one.comparison.low > 0 or one.comparison.high < 0]
    assert decided
    for one in decided:
        assert "no difference found" in one.sentence
        assert f"corrected for {one.comparison.compared} comparisons)" in one.sentence


def test_what_a_size_keeps_of_the_largest_over_all_directions(make_run, home):
    harms = {16: 0.6, 32: 0.2, 256: 0.2}
    runs = [
        run
        for size, harm in harms.items()
        for run in seeds(make_run, 2, dict.fromkeys(("de-en", "en-de"), harm), size=size)
    ]
    few, enough = on(findings(runs, home), "kept")
    assert few.found and few.sentence.startswith("Trained on 16 pairs (de-en alone), nano keeps ")
    assert few.sentence.endswith("of the BLEU that 256 pairs give, over the 2 directions tested.")
    assert 0 < few.more["ratio_low"] < few.more["ratio"] < few.more["ratio_high"] < 1
    assert not enough.found and enough.sentence.endswith("tested: no difference found.")
