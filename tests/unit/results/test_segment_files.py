"""Segments as files."""

import csv
import io
import json

import pytest

from mtlab.results.evidence import Reader
from mtlab.results.reading import read_segments, translations_path
from mtlab.results.segment_files import segments_csv, segments_jsonl
from mtlab.results.side_by_side import side_by_side
from mtlab.results.systems import System
from mtlab.runs.files import write_lines
from mtlab.spec import Direction

WAY = Direction.parse("de-en")


@pytest.fixture
def view(make_run):
    run = make_run({"de-en": 0.3}, off_target={"de-en": 0.1})
    rows = read_segments(run.folder, WAY)
    for row, text in zip(rows, ("=1+1", "+49", "-x", "@a", "\ttab", 'a "b", c'), strict=False):
        row |= {"hypothesis": text, "source": text}
    write_lines(translations_path(run.folder, WAY), rows)
    return side_by_side([System((run,), untuned=True), System((run,))], WAY, Reader())


def test_csv_has_no_formulas(view):
    text = segments_csv(view, ["base", "=run"], [5, 4, 3, 2, 1, 0], "chrf", "sig")
    header, *rows = csv.reader(io.StringIO(text))
    assert header[:4] == ["direction", "segment", "source", "reference"]
    assert header[8:] == [
        "'=run", "'=run: failures", "'=run: language", "'=run: sentence chrF", "signature",
    ]  # fmt: skip
    sources = ['a "b", c', "'\ttab", "'@a", "'-x", "'+49", "'=1+1"]
    assert [row[2] for row in rows] == [row[8] for row in rows] == sources
    assert [row[1] for row in rows] == ["6", "5", "4", "3", "2", "1"]
    assert rows[-1][9] == "off-target" and rows[0][-1] == "sig"
    assert float(rows[0][11]) == pytest.approx(view.scores("chrf")[1][5], abs=1e-3)


def test_json_lines_have_the_texts_as_they_are(view):
    (row,) = map(json.loads, segments_jsonl(view, ["base", "run"], [0], "bleu", "sig").splitlines())
    base, run = row.pop("systems")
    assert row == {
        "direction": "de-en", "segment": 1, "source": "=1+1", "reference": view.references[0],
        "metric": "bleu", "signature": "sig",
    }  # fmt: skip
    assert (base["untuned"], run["untuned"], run["seed"]) == (True, False, 0)
    assert run["hypothesis"] == "=1+1" and run["failures"] == ["off-target"]
    assert run["run"] == view.systems[1].run.id and run["bleu"] == 0
