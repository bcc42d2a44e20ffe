"""What the command line prints of scores."""

from mtlab.cli import printing


def test_one_segment_has_no_interval_to_name(capsys):
    score = {"value": 12.0, "low": None, "high": None, "n": 1, "seed": None, "signature": "s"}
    printing.signatures({"bleu": score})
    assert capsys.readouterr().out == "BLEU: s, n 1, no interval\n"


def test_a_column_that_the_first_row_lacks_is_shown(capsys):
    printing.table([{"a": 1}, {"a": 2, "gated": 0.5}])
    assert capsys.readouterr().out.splitlines() == ["a  gated", "1", "2    0.5"]


def test_no_difference_is_nothing_people_agree_with(capsys):
    row = {
        "system": "b", "baseline": "a", "metric": "bleu", "difference": 0.0, "low": 0.0,
        "high": 0.0, "p_corrected": 1.0, "compared": 1, "verdict": "no difference found",
        "meaning": {"accuracy": 0.44}, "signature": "n:8", "notes": [],
    }  # fmt: skip
    printing.comparisons([row, {**row, "difference": 2.0, "meaning": {"accuracy": 0.76}}])
    _, _, _, same, other, *_ = capsys.readouterr().out.splitlines()
    assert same.endswith("coin toss") and other.endswith("76%")
