"""The curves, held against the table of thresholds that their authors print."""

import pytest

from mtlab.scoring.agreement import Agreement, agreement
from mtlab.scoring.values import Unavailable

# Kocmi et al. 2024, the table of thresholds: the difference at which people agree so often.
ACCURACIES = (0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95)
PRINTED = {
    "bleu": (0.27, 0.52, 0.78, 1.06, 1.39, 1.79, 2.34, 3.35),
    "chrf": (0.14, 0.33, 0.54, 0.76, 1.00, 1.28, 1.63, 2.12, 3.05),
    "comet": (0.03, 0.10, 0.18, 0.26, 0.35, 0.45, 0.56, 0.71, 0.94, 1.53),
}


@pytest.mark.parametrize("metric", PRINTED)
def test_the_printed_thresholds(metric):
    for difference, accuracy in zip(PRINTED[metric], ACCURACIES, strict=False):
        points = difference / 100 if metric == "comet" else difference
        found = agreement(metric, points)
        assert found.accuracy == pytest.approx(accuracy, abs=0.005)
        assert agreement(metric, -points) == found


def test_the_example_of_their_tool():
    assert agreement("bleu", 1.0).accuracy == pytest.approx(0.63989, abs=5e-6)


def test_a_difference_too_small_to_see():
    assert "coin toss" in agreement("bleu", 0.1).sentence()
    assert agreement("bleu", 3.35).sentence().endswith("85% of system pairs")


def test_what_has_no_curve_says_so():
    other = agreement("comet", 0.1, "Unbabel/XCOMET-XL")
    assert isinstance(other, Unavailable) and "XCOMET-XL" in other.why
    assert isinstance(agreement("off-target", 0.5), Unavailable)
    assert isinstance(agreement("comet", 0.01), Agreement)
