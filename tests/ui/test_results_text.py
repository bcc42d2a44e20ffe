"""The Results and Guide tabs without a browser: what they say, and what they refuse."""

import re
import shlex
import zipfile

import pytest

from mtlab import Lab
from mtlab.cli.parser import build_parser
from mtlab.errors import InputError, NotAvailable
from mtlab.results.board import Board, Drawing
from mtlab.results.headlines import headlines
from mtlab.results.selection import Selection
from mtlab.scoring.failures import FAILURES
from mtlab.settings import Settings
from mtlab.ui import guide_text, results_text
from mtlab.ui.downloads import RENDERINGS, written
from mtlab.ui.figure_chart import chart_value, numbers_html
from mtlab.ui.results_filters import selection_of
from mtlab.ui.results_tab import _asked, _drawing
from tests.browser import ROOT
from tests.finished_runs import finished_run, small_home

HOSTILE = "<img src=x onerror=alert(1)>{{value}}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    home = tmp_path_factory.mktemp("results") / "home"
    lab = Lab(Settings.from_environment({"MTLAB_HOME": str(home)}))
    small_home(lab.store)
    finished_run(
        lab.store, {"de-en": 0.3}, segments=8, seed=7, group=HOSTILE, name=HOSTILE, size=16
    )
    return lab


@pytest.fixture(scope="module")
def board(lab):
    return Board(lab.store)


def test_what_is_looked_at_is_said_with_its_signature(board):
    text = results_text.overview_html(board.view(Selection(group="noise")))
    assert "4 finished runs; seeds 0, 1; 2 test directions; 16 segments each." in text
    assert "BLEU: nrefs:1|" in text


def test_a_sentence_stands_with_a_way_to_its_segments(board):
    view = board.view(Selection(group="noise"))
    records = {record.id: record for record in view.records}
    part = headlines(board.findings(view))["noise"]
    text = results_text.findings_html(part, records)
    assert re.search(r"Word noise on the target side in place of the source side .* lowers", text)
    first = part.found[0]
    assert f'data-compare="{first.runs[0]} {first.runs[-1]}"' in text
    assert results_text.findings_html(headlines([])["noise"], records) == ""


def test_names_that_people_gave_are_text(board):
    view = board.view(Selection(group=HOSTILE))
    assert view.records[0].spec.name == HOSTILE
    text = results_text.runs_html(view)
    assert "&lt;img" in text and "<img" not in text and "{{" not in text
    for plot in board.plots(board.view(Selection()), Drawing()).values():
        assert "<img" not in numbers_html(plot)


def test_no_plot_shows_nothing():
    assert chart_value(None) == {} and numbers_html(None) == ""


@pytest.mark.parametrize(
    "values",
    [
        (["bleu"], "", "", "", [], []),
        ("bleu", 3, "", "", [], []),
        ("bleu", "", "", "", "de-en", []),
        ("bleu", "", "", "", [], [["x"]]),
    ],
)
def test_a_filter_of_another_kind_is_refused(values):
    with pytest.raises(InputError, match="choose"):
        selection_of(values)


def test_empty_filters_leave_everything_open():
    assert selection_of((None, "", None, "", None, [])) == Selection()


@pytest.mark.parametrize("how", [("both", 0), ("", "16"), ("", True), ("", 1.5)])
def test_a_drawing_there_is_not_is_refused(board, how):
    with pytest.raises(InputError):
        _drawing((*how, ""), board.view(Selection()))


def test_a_size_that_a_choice_has_not_is_left_open(board):
    assert _drawing(("mean", 16, ""), board.view(Selection())) == Drawing(16, "mean")
    assert _drawing((None, 16, ""), board.view(Selection(group="noise"))) == Drawing()


def test_a_click_names_runs_or_is_refused(lab):
    run = lab.runs()[0].id
    opened, _ = _asked(lab, {"open": run})
    assert opened.value == run
    _, compared = _asked(lab, {"compare": [run, run]})
    assert compared.value == [run, run]
    for wrong in (None, {}, {"open": 3}, {"compare": "x"}, {"compare": []}, {"compare": [run] * 5},
                  {"open": "../../etc"}, {"compare": ["gone"]}):  # fmt: skip
        with pytest.raises(InputError):
            _asked(lab, wrong)


@pytest.mark.parametrize("ending", RENDERINGS)
def test_every_rendering_is_written_under_a_name_of_ours(board, ending, tmp_path):
    report = board.tables(board.view(Selection()))
    path = written(report, f"mtlab-results.{ending}", RENDERINGS[ending][1], tmp_path)
    found = list(tmp_path.rglob(f"mtlab-results.{ending}"))
    assert [str(one) for one in found] == [path] and found[0].stat().st_size > 100
    assert re.fullmatch(r"[0-9a-f]{32}", found[0].parent.name)
    if ending == "zip":
        assert zipfile.is_zipfile(path)


def test_a_file_that_cannot_be_written_is_a_sentence(board, tmp_path):
    report = board.tables(board.view(Selection()))
    (tmp_path / "file").write_text("")
    with pytest.raises(NotAvailable, match="'x.csv' cannot be written"):
        written(report, "x.csv", RENDERINGS["csv"][1], tmp_path / "file")


def test_a_text_that_would_be_a_formula_is_none_in_the_csv(tmp_path):
    lab = Lab(Settings.from_environment({"MTLAB_HOME": str(tmp_path / "home")}))
    finished_run(lab.store, {"de-en": 0.3}, segments=4, name="=HYPERLINK(1)", group="-x")
    board = Board(lab.store)
    line = board.tables(board.view(Selection())).csv().splitlines()[1]
    assert "'=HYPERLINK(1)" in line and "'-x" in line and ",=" not in line


def test_the_guides_commands_are_commands():
    for _, command, _ in guide_text.COMMANDS:
        program, *words = shlex.split(command)
        assert program == "mtlab"
        assert build_parser().parse_args(words).verb


def test_the_guides_python_is_python_of_the_lab(lab):
    from mtlab.handle import Run

    for _, _, code in guide_text.COMMANDS:
        compile(code, "guide", "exec")
        for owner, name in re.findall(r"\b(lab|run)\.(\w+)\(", code):
            assert callable(getattr(Lab if owner == "lab" else Run, name))


def test_the_guide_names_every_failure_and_cites_as_the_readme_does():
    badges = guide_text.badges_html()
    assert all(f">{name}<" in badges for name in FAILURES)
    assert guide_text.BIBTEX in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_guides_numbers_are_those_of_the_documents():
    claims = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    failures = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    assert all(row in claims for row in ("| 1 | 52.7% |", "| 3 | 7.7% |", "| 5 | 5.1% |"))
    assert "53% of cases with one seed, 8% with three, 5% with five" in guide_text.sure_html()
    assert "| truncated | 0.27 | 0.30 | 0.15 | 0.42 |" in failures
    paper = guide_text.paper_html()
    assert "82.29 with 32, 83.97 with 1,024, 84.48 with 74,623 pairs" in paper
    assert "58 to 82%" in paper


def test_every_section_that_is_listed_is_there():
    contents = guide_text.contents_html()
    for name, title in guide_text.CONTENTS:
        assert f'href="#guide-{name}"' in contents and title in contents
        assert f'id="guide-{name}"' in guide_text.heading_html(name)
