"""Every system against the first one; all seeds of a system."""

import pytest

from mtlab.errors import InputError
from mtlab.results import contrasts as module
from mtlab.results.comparing import compare_systems
from mtlab.results.contrasts import contrasts, every_seed
from mtlab.results.evidence import Reader
from mtlab.results.systems import System
from mtlab.results.wording import contrast
from mtlab.spec import Direction

WAY = Direction.parse("de-en")


@pytest.fixture(autouse=True)
def _fewer_resamples(monkeypatch):
    monkeypatch.setattr(module, "SAMPLES", 2000)


def compared(*systems, metrics=("bleu", "chrf")):
    names = [f"system {number}" for number in range(len(systems))]
    return contrasts(systems, names, WAY, metrics, Reader())


def test_every_system_is_held_against_the_first_in_every_metric(make_run):
    one, good, same = make_run({"de-en": 0.6}), make_run({"de-en": 0.1}), make_run({"de-en": 0.6})
    found = compared(System((one,)), System((good,)), System((same,))).comparisons
    assert [(c.metric, c.system, c.compared) for c in found] == [
        ("bleu", "system 1", 4), ("bleu", "system 2", 4),
        ("chrf", "system 1", 4), ("chrf", "system 2", 4),
    ]  # fmt: skip
    assert [c.verdict for c in found] == ["higher", "no difference found"] * 2
    sides = System((one,)), System((good,))
    (alone,) = compare_systems(sides, WAY, ("bleu",), samples=2000)
    assert (found[0].difference, found[0].low) == (alone.difference, alone.low)
    assert found[0].p_corrected == pytest.approx(4 * alone.p_value)


def test_the_sentence_of_a_comparison(make_run):
    one, good = make_run({"de-en": 0.6}), make_run({"de-en": 0.1})
    base = System((one,), untuned=True)
    found = compared(System((one,)), System((good,)), base).comparisons
    above, below = contrast(found[0], WAY), contrast(found[1], WAY)
    assert above.startswith("system 1 is ") and " de-en BLEU above system 0 (95% int" in above
    assert "1 seed); people agree with such a difference in about" in above
    assert " de-en BLEU below system 0 (95% interval" in below
    (same,) = compared(System((one,)), System((one,)), metrics=("bleu",)).comparisons
    assert contrast(same, WAY).startswith(
        "system 1 against system 0: no difference found in de-en BLEU (+0.0, 95% interval +0.0 to"
    )


def test_two_untuned_bases_have_no_seed(make_run):
    runs = [make_run({"de-en": 0.2}), make_run({"de-en": 0.2}, decoding={"beams": 1})]
    (one,) = compared(
        *(System((run,), untuned=True) for run in runs), metrics=("bleu",)
    ).comparisons
    assert one.seeds == 0 and "80 segments)" in contrast(one, WAY)


def test_a_metric_that_some_system_lacks_is_left_out_and_said(make_run):
    one, other = make_run({"de-en": 0.2}, comet=0.6), make_run({"de-en": 0.2})
    found = compared(System((one,)), System((other,)), metrics=("bleu", "comet"))
    assert [c.metric for c in found.comparisons] == ["bleu"]
    assert f"run {other.id} has no 'comet'" in found.missing["comet"]
    third = make_run({"de-en": 0.2}, comet=0.6, comet_model="another/model")
    found = compared(System((one,)), System((third,)), metrics=("comet",))
    assert not found.comparisons and "2 COMET models" in found.missing["comet"]


def test_other_segments_are_refused(make_run):
    one, other = make_run({"de-en": 0.2}), make_run({"de-en": 0.2}, n=20)
    with pytest.raises(InputError, match="20 segments against 80"):
        compared(System((one,)), System((other,)))


def test_a_system_with_all_its_seeds(make_run, home):
    seeds = [make_run({"de-en": 0.2}, seed=seed) for seed in (0, 1, 2, 1)]
    others = [
        make_run({"de-en": 0.2}, seed=5, size=64),
        make_run({"de-en": 0.2}, seed=6, n=20),
        make_run({"fr-en": 0.2}, seed=7),
    ]
    newest_first = [*reversed(seeds), *others]
    system = System((seeds[1],))
    found = every_seed(system, newest_first, WAY, home, Reader())
    # Of two runs with one seed the one that was chosen counts.
    assert [run.id for run in found.runs] == [seeds[1].id, seeds[0].id, seeds[2].id]
    found = every_seed(System((seeds[0],)), newest_first, WAY, home, Reader())
    assert [run.id for run in found.runs] == [seeds[0].id, seeds[3].id, seeds[2].id]
    base = System((seeds[0],), untuned=True)
    assert every_seed(base, newest_first, WAY, home, Reader()) == base
    (one,) = compared(base, found, metrics=("bleu",)).comparisons
    assert one.seeds == 3 and "over:segments+seeds" in one.signature
