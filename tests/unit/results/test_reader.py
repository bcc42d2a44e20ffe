"""What the reader of finished runs keeps, and when it reads again."""

import pytest
import sacrebleu

from mtlab.errors import InputError
from mtlab.results.evidence import Reader
from mtlab.results.reading import read_segments, translations_path
from mtlab.runs.files import write_lines
from mtlab.spec import Direction

WAY = Direction.parse("de-en")


def rewritten(run, **changes):
    rows = [{**row, **changes} for row in read_segments(run.folder, WAY)]
    write_lines(translations_path(run.folder, WAY), rows)


def test_a_table_is_read_once_and_again_when_its_file_has_changed(make_run):
    run, reader = make_run({"de-en": 0.2}), Reader()
    before = reader.segments(run, WAY)
    assert reader.segments(run, WAY) is before
    assert reader.statistics(run, WAY, "chrf") is reader.statistics(run, WAY, "chrf")
    rewritten(run, hypothesis="another", scores={"chrf": 12.5})
    assert set(reader.segments(run, WAY).hypotheses) == {"another"}
    assert set(reader.segment_scores(run, WAY, "chrf")) == {12.5}


def test_what_was_asked_for_last_is_kept(make_run):
    runs, reader = [make_run({"de-en": 0.2}) for _ in range(3)], Reader(most=2)
    first, second = (reader.segments(run, WAY) for run in runs[:2])
    assert reader.segments(runs[0], WAY) is first
    reader.segments(runs[2], WAY)
    assert reader.segments(runs[0], WAY) is first
    assert reader.segments(runs[1], WAY) is not second


@pytest.mark.parametrize("metric", ["bleu", "chrf"])
def test_segment_scores_that_were_not_written_are_sacrebleus(make_run, metric):
    run = make_run({"de-en": 0.3}, n=20)
    score = {"bleu": sacrebleu.sentence_bleu, "chrf": sacrebleu.sentence_chrf}[metric]
    theirs = [
        score(row["hypothesis"], [row["reference"]]).score for row in read_segments(run.folder, WAY)
    ]
    assert Reader().segment_scores(run, WAY, metric) == pytest.approx(theirs)
    untuned = Reader().segment_scores(run, WAY, metric, untuned=True)
    assert untuned.mean() < sum(theirs) / len(theirs)


def test_comet_comes_from_the_run_alone(make_run):
    run = make_run({"de-en": 0.3}, n=8, comet=0.5)
    assert Reader().segment_scores(run, WAY, "comet")[:2] == pytest.approx([0.5, 0.51])
    with pytest.raises(InputError, match="has no 'comet'"):
        Reader().segment_scores(make_run({"de-en": 0.3}), WAY, "comet")
