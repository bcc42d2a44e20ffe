"""COMET beside unbabel-comet's own command: the same scores, one contest of a round."""

from mtlab.bench.comet import Segments, contest


def test_the_scores_agree_with_comet_s_own(comet_settings, tiny_comet):
    test = Segments(tuple(tiny_comet.sources), tuple(tiny_comet.references))
    held = contest(
        ["comet-score"],
        comet_settings,
        test,
        rounds=1,
        checkpoint=tiny_comet.regression,
        parts={"one more": (1, 1)},
    )
    command, predict, ours = held["one more"]
    assert [one.name for one in (command, predict, ours)] == [
        "comet-score",
        "comet-predict",
        "mtlab",
    ]
    assert ours.agreement < 1e-5, "fp32 against fp32"
    assert 0 < command.agreement < 0.02, "half the precision, which is comet-score's own"
    assert ours.ratio > 0 and len(ours.rates) == 1
    assert command.versions["unbabel-comet"] == "2.2.7"


def test_systems_differ_from_round_to_round_and_not_from_contest_to_contest():
    test = Segments(("Quelle.",) * 3, ("A reference of some length, in words.",) * 3)
    assert test.system(1) == test.system(1) != test.system(2)
    assert all(line for line in Segments(("x",), ("Wort",)).system(5))
