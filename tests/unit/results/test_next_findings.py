"""Findings on reversed pairs, cycles, methods and settings, on runs whose truth is known."""

import json

import pytest

from mtlab.results.conditions import conditions
from mtlab.results.findings import findings
from mtlab.results.questions import questions
from mtlab.runs.files import write_json

WORD = {"kind": "word", "side": "target"}
INTO_ENGLISH = ("de-en", "fr-en")
AWAY = ("en-de", "en-fr", "de-fr")


def on(found, topic, *directions):
    return [
        one
        for one in found
        if one.topic == topic and (not directions or tuple(map(str, one.directions)) == directions)
    ]


def shares(found):
    """The new value and the old one of settings, as the sentences say them."""
    return [one.sentence.partition(" (")[0] for one in found]


@pytest.fixture
def keep_spec():
    """Write a run's spec into its folder, under its id, as a home has it."""

    def keep(run):
        write_json(run.folder / "spec.json", run.spec.to_json())
        return run

    return keep


@pytest.fixture
def chain(make_run, keep_spec):
    """A chain of runs, one per given harm, each going on from the one before on a fresh seed."""

    def make(harms, seed=0, way="de-en", **fields):
        runs = []
        for cycle, harm in enumerate(harms):
            base = {"base": f"run:{runs[-1].id}"} if runs else {}
            runs.append(
                keep_spec(make_run({way: harm}, seed=seed + 1000 * cycle, **base, **fields))
            )
        return runs

    return make


def test_reversed_pairs_cure_off_target_output_and_may_cost_something(make_run, home):
    lost = {0: 0.9, 0.05: 0.4, 0.5: 0.0}
    runs = [
        make_run(
            {
                **dict.fromkeys(INTO_ENGLISH, 0.5 if share == 0.5 else 0.2),
                **dict.fromkeys(AWAY, 0.2),
            },
            off_target=dict.fromkeys(AWAY, part),
            reverse=share,
            seed=seed,
        )
        for share, part in lost.items()
        for seed in (0, 1)
    ]
    found = findings(runs, home)
    few, many = on(found, "cured", "en-de")
    assert few.found and many.found and few.comparison.metric == "off-target"
    assert few.sentence.startswith(
        "With 5% of the pairs reversed (32 pairs, de-en alone), 40% of nano's en-de output is in "
        "another language than asked for, against 90% with none: 50 points less (95% interval "
    )
    assert few.sentence.endswith("2 seeds).")
    whole = on(found, "cured", *AWAY)
    assert [one.sentence.partition(", against ")[2][:9] for one in whole] == [
        "90% with ", "90% with ", "40% with ",
    ]  # fmt: skip
    assert "40% of nano's output in 3 directions not into English is" in whole[0].sentence
    assert "against 40% with 5%: 40 points less" in whole[2].sentence
    costs = on(found, "reversed", "fr-en")
    assert [one.found for one in costs] == [False, True]
    assert costs[0].sentence.startswith(
        "Reversing 5% of the pairs (32 pairs, de-en alone): no difference found in nano's fr-en "
    )
    assert costs[1].sentence.startswith("Reversing 50% of the pairs (32 pairs, de-en alone) lowers")
    # The direction that the reversed pairs show is scored too; the others out of English are not.
    assert on(found, "reversed", "en-de") and not on(found, "reversed", "en-fr")
    assert not on(found, "cured", "de-en") and not on(found, "derailing")


def test_where_english_is_not_the_only_target_the_score_is_what_reversing_changes(make_run, home):
    runs = [make_run({"en-de": 0.2, "de-en": 0.2}, train=["en-de"], reverse=r) for r in (0, 0.1)]
    found = findings(runs, home)
    assert len(on(found, "reversed")) == 2 and not on(found, "cured")


def test_each_cycle_is_held_against_the_one_before_and_the_first(chain, home):
    runs = [run for seed in (0, 1) for run in chain((0.2, 0.2, 0.5), seed=seed)]
    found = findings(runs, home)
    cycles = on(found, "cycle")
    assert shares(cycles) == [
        "Going on from cycle 1 to cycle 2",
        "Going on from cycle 2 to cycle 3",
        "Going on from cycle 1 to cycle 3",
    ]
    assert [one.found for one in cycles] == [False, True, True]
    assert cycles[1].sentence.startswith(
        "Going on from cycle 2 to cycle 3 (32 pairs, de-en alone) lowers nano's de-en BLEU by "
    )
    # Seeds are matched by those of the first runs: the later ones have seeds of their own.
    assert "same-seeds:yes" in cycles[1].comparison.signature
    assert cycles[1].runs == ("run-2", "run-5", "run-3", "run-6")
    assert len(on(found, "untuned")) == 1 and not on(found, "bases")


def test_whether_noise_costs_more_after_the_last_cycle_than_after_the_first(chain, home):
    runs = [
        run
        for seed in (0, 1)
        for harms, fields in (((0.2, 0.2), {}), ((0.3, 0.7), {"noise": WORD}))
        for run in chain(harms, seed=seed, **fields)
    ]
    found = findings(runs, home)
    (more,) = on(found, "accumulating")
    assert more.found and more.comparison.difference < -10
    assert more.sentence.startswith(
        "Target-side word noise (32 pairs, de-en alone) costs nano's de-en "
    )
    assert " BLEU more after 2 cycles than after 1 cycle (95% interval " in more.sentence
    assert len(more.runs) == 8
    first, second = on(found, "against clean")
    assert "(32 pairs, de-en alone)" in first.sentence
    assert "(32 pairs, de-en alone, cycle 2)" in second.sentence
    values = [one.comparison.difference for one in (first, second)]
    assert more.comparison.difference == pytest.approx(values[1] - values[0])


def test_noise_that_costs_the_same_in_every_cycle_does_not_accumulate(chain, home):
    runs = [*chain((0.2, 0.2)), *chain((0.4, 0.4), noise=WORD)]
    (same,) = on(findings(runs, home), "accumulating")
    assert not same.found
    assert (
        ", after 2 cycles against after 1 cycle: no difference found in what it costs nano in de-en"
        in same.sentence
    )


def test_a_chain_that_changes_says_after_what(chain, make_run, keep_spec, home):
    (first,) = chain((0.3,), noise=WORD)
    second = keep_spec(make_run({"de-en": 0.2}, base=f"run:{first.id}", size=64, seed=5))
    last = conditions([first, second], home)[-1]
    assert last.trained_on == "de-en alone, cycle 2 after 32 pairs of de-en, target-side word noise"
    assert (last.base, last.cycle, last.seeds) == ("nano", 2, (0,))
    (one,) = on(findings([first, second], home), "cycle")
    assert one.sentence.startswith(
        "Going on from cycle 1 to cycle 2 (64 pairs, de-en alone, cycle 2 after 32 pairs of de-en, "
    )


def test_a_chain_whose_first_run_was_deleted_begins_with_what_is_left(chain, home):
    first, second = chain((0.3, 0.2))
    (first.folder / "spec.json").unlink()
    (left,) = conditions([second], home)
    assert (left.base, left.cycle) == (f"run:{first.id}", 1)
    assert findings([second], home) == []  # what it went on from was no untuned model


def test_lora_against_full_fine_tuning(make_run, home):
    runs = [
        make_run({"de-en": harm}, training={"method": method}, seed=seed, reverse=0.5)
        for method, harm in (("full", 0.2), ("lora", 0.5))
        for seed in (0, 1)
    ]
    (one,) = on(findings(runs, home), "methods")
    assert one.found and one.kind == "method"
    assert one.sentence.startswith(
        "LoRA in place of full fine-tuning (32 pairs, de-en alone) lowers nano's de-en BLEU by "
    )


def test_fine_tuning_against_what_was_not_trained(make_run, home):
    untrained = {"train": (), "test": ("de-en",)}
    runs = [
        make_run({"de-en": harm}, size=size) for size, harm in ((32, 0.2), (64, 0.2), (128, 0.2))
    ]
    runs += [make_run({"de-en": 0.6}, training={"method": "few-shot"}, size=3, **untrained)]
    runs += [make_run({"de-en": 0.9}, training={"method": "none"}, score_base=False, **untrained)]
    other = {"base": "qwen2.5-0.5b-instruct", **untrained}
    runs += [make_run({"de-en": 0.1}, training={"method": "none"}, score_base=False, **other)]
    runs += [make_run({"de-en": 0.1}, training={"method": "few-shot"}, size=1, **other)]
    found = on(findings(runs, home), "systems")
    tuned = "Nano fine-tuned on {} pairs (de-en alone) in place of {} {} de-en BLEU by "
    said = [
        tuned.format(size, held, verb)
        for size in (32, 128)
        for held, verb in (
            ("nano with 3 examples shown", "raises"),
            ("nano as it is", "raises"),
            ("qwen2.5-0.5b-instruct as it is", "lowers"),
        )
    ]
    assert [one.sentence[: len(text)] for one, text in zip(found, said, strict=True)] == said


def test_one_setting_that_differs_is_compared_along_its_values(make_run, home):
    runs = [
        make_run({"de-en": 0.2}, training={"steps": steps}) for steps in (40, None, 20, 80)
    ]  # left open it is 10
    found = on(findings(runs, home), "setting")
    assert shares(found) == [
        "Training for 20 steps in place of 10",
        "Training for 40 steps in place of 20",
        "Training for 80 steps in place of 40",
        "Training for 40 steps in place of 10",
        "Training for 80 steps in place of 10",
    ]
    assert "(32 pairs, de-en alone)" in found[0].sentence, "not the steps once more"


def test_settings_are_worded_by_their_names_and_two_at_once_are_not_compared(make_run, home):
    choices = (
        {"training": {"learning_rate": 1e-4}},
        {"training": {"learning_rate": 3e-5}},
        {"decoding": {"strategy": "greedy"}},
        {"training": {"steps": 20}, "decoding": {"beams": 2}},
    )
    runs = [make_run({"de-en": 0.2}), *(make_run({"de-en": 0.2}, **one) for one in choices)]
    assert shares(on(findings(runs, home), "setting")) == [
        "Learning rate 0.0001 in place of 3e-05",
        "Learning rate 0.0003 in place of 0.0001",
        "Learning rate 3e-05 in place of 0.0003",
        "Decoding by greedy in place of beam",
    ]


def test_a_share_of_noisy_pairs_against_the_next_smaller_one(make_run, home):
    runs = [make_run({"de-en": 0.2 + r / 2}, noise={**WORD, "ratio": r}) for r in (1, 0.1, 0.5)]
    found = on(findings(runs, home), "ratio")
    assert shares(found) == [
        "Target-side word noise in 50% of pairs in place of 10%",
        "Target-side word noise in 100% of pairs in place of 50%",
    ]
    assert found[1].found and " lowers nano's de-en BLEU by " in found[1].sentence


def test_a_translator_of_each_seed_makes_one_condition(make_run, keep_spec, home):
    runs = []
    for seed in (0, 1):
        translator = keep_spec(make_run({"de-en": 0.3}, size=512, seed=seed))
        noise = {"kind": "sentence", "side": "target", "translator": translator.id}
        runs += [
            make_run({"de-en": 0.2}, seed=seed),
            make_run({"de-en": 0.5}, seed=seed, noise=noise),
        ]
    (one,) = on(findings(runs, home), "against clean")
    assert one.comparison.seeds == 2
    other = keep_spec(make_run({"de-en": 0.3}, size=1024))
    noise = {"kind": "sentence", "side": "target", "translator": other.id}
    assert len(conditions([*runs, make_run({"de-en": 0.5}, noise=noise)], home)) == 3


def test_a_grid_asks_of_neighbours_and_the_reference_alone(make_run, home):
    rates = (1e-5, 3e-5, 1e-4, 1e-3, 3e-3)
    runs = [
        make_run({"de-en": 0.2}, size=size, reverse=share, training={"learning_rate": rate})
        for size in (16, 32)
        for share in (0, 0.1, 0.5)
        for rate in (*rates, None)
    ]
    asked = questions(conditions(runs, home), "bleu")
    by_kind = {kind: sum(q.kind == kind for q in asked) for kind in {q.kind for q in asked}}
    # 6 grids of 6 rates: 5 neighbours, and 3 more that are no neighbour of the one left open.
    assert by_kind["setting"] == 6 * 8
    assert by_kind["reverse"] == 2 * 6 * 2 and by_kind["size"] == 3 * 6 and by_kind["base"] == 1


def test_off_target_output_is_asked_once_however_many_metrics(make_run, home):
    runs = [make_run({"de-en": 0.2, "en-de": 0.2}, reverse=share) for share in (0, 0.1)]
    once = findings(runs, home)
    both = findings(runs, home, metrics=("bleu", "chrf"))
    assert len(on(both, "cured")) == len(on(once, "cured")) == 1
    assert len(on(both, "reversed")) == 2 * len(on(once, "reversed"))
    json.dumps([one.to_json() for one in both])
