"""The score table of runs with and without the newer counts of failures."""

from mtlab.cli.printing import failed_cell as failed_text
from mtlab.cli.printing import score_cells
from mtlab.ui.markup import badges
from mtlab.ui.scores import failed_cell, scores_html

SCORE = {"value": 0.71234, "low": 0.7, "high": 0.72, "n": 4, "signature": "s", "seed": 1}
GATED = {"value": 0.35123, "low": 0.3, "high": 0.4, "failed": 2}
OLD = {"comet": SCORE, "failures": {"off-target": 0.5, "copy": 0.25}}
NEW = {
    "comet": {**SCORE, "gated": GATED},
    "failures": {"copy": 0.25, "off-target": 0.5, "truncated": 0.0},
    "stacked": {"copy": 0.25, "off-target": 0.25, "truncated": 0.0},
    "languages": {"en": 0.25, "und": 0.25},
}


def test_gated_comet_stands_beside_the_raw_one():
    page = scores_html({"scores": {"de-en": NEW}, "base": {"de-en": OLD}})
    assert "0.7123" in page and "gated 0.3512" in page and page.count("gated 0.") == 1
    assert score_cells({"comet": NEW["comet"]}) == {
        "COMET": "0.7123 [0.7000, 0.7200]",
        "COMET gated": "0.3512 [0.3000, 0.4000]",
    }
    assert list(score_cells({"comet": SCORE})) == ["COMET"]


def test_the_stack_sums_to_the_failed_segments():
    cell = failed_cell(NEW)
    assert 'class="failed-copy" style="width:25.00%"' in cell
    assert 'class="failed-off-target" style="width:25.00%"' in cell
    assert "failed-truncated" not in cell
    assert "50.0% of the segments failed" in cell
    assert "English 25%" in cell and "another language 25%" in cell
    assert failed_text(NEW) == "50%: copy 25%, off-target 25% (in en, und)"


def test_runs_of_before_show_what_they_have():
    assert "failed-bar" not in failed_cell(OLD) and "off-target 50%" in failed_cell(OLD)
    assert failed_text(OLD) == "off-target 50%, copy 25%"
    assert failed_cell({}) == "none" and failed_text({}) == ""
    assert failed_text({"stacked": {"copy": 0.0}}) == "0%"


def test_a_badge_says_which_language():
    assert ">off-target: English<" in badges(["copy", "off-target"], "en")
    assert ">off-target: another language<" in badges(["off-target"], "und")
    assert ">off-target<" in badges(["off-target"])


def test_names_from_a_file_are_text():
    hostile = '"><script>alert(1)</script>'
    cell = failed_cell(
        {"failures": {hostile: 1.0}, "stacked": {hostile: 1.0}, "languages": {hostile: 1.0}}
    )
    assert "<script" not in cell
