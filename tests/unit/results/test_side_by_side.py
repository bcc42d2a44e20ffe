"""Segments of several systems in one order: sorted, filtered, paged, in parts."""

import numpy as np
import pytest
import sacrebleu

from mtlab.errors import InputError
from mtlab.results.buckets import buckets
from mtlab.results.evidence import Reader
from mtlab.results.reading import read_segments, translations_path
from mtlab.results.segments_view import (
    Filter,
    Order,
    length_range,
    matching,
    ordered,
    page_of,
    thirds,
)
from mtlab.results.side_by_side import side_by_side
from mtlab.results.systems import System
from mtlab.runs.files import write_lines
from mtlab.spec import Direction

WAY = Direction.parse("de-en")


def beside(*runs, base=False):
    systems = [System((run,)) for run in runs]
    if base:
        systems.insert(0, System((runs[0],), untuned=True))
    return side_by_side(systems, WAY, Reader())


def changed(run, change):
    rows = [{**row, **change(row)} for row in read_segments(run.folder, WAY)]
    write_lines(translations_path(run.folder, WAY), rows)


@pytest.fixture
def pair(make_run):
    return make_run({"de-en": 0.4}), make_run({"de-en": 0.1}, off_target={"de-en": 0.25})


def test_systems_of_one_test_set_share_all_of_it(pair):
    view = beside(*pair, base=True)
    assert (view.n, view.tested, view.same_test) == (80, (80, 80, 80), True)
    assert view.numbers == tuple(range(1, 81))
    assert view.scores("chrf").shape == (3, 80)
    assert view.metrics == ("chrf", "bleu")
    assert view.segment_signature("bleu").startswith("nrefs:1|case:mixed|eff:yes|tok:13a")


def test_comet_is_offered_where_all_have_it_from_one_model(make_run):
    one, other = (make_run({"de-en": 0.2}, comet=0.5) for _ in range(2))
    assert beside(one, other).metrics == ("chrf", "bleu", "comet")
    third = make_run({"de-en": 0.2}, comet=0.5, comet_model="another/model")
    assert "comet" not in beside(one, third).metrics
    assert "comet" not in beside(one, make_run({"de-en": 0.2})).metrics


def test_other_segments_are_put_side_by_side_where_they_are_shared(make_run):
    whole, part = make_run({"de-en": 0.4}), make_run({"de-en": 0.1})
    rows = read_segments(part.folder, WAY)
    kept = [rows[7], {**rows[8], "reference": "another"}, rows[3]]
    write_lines(translations_path(part.folder, WAY), kept)
    view = beside(whole, part)
    assert (view.n, view.tested, view.same_test) == (2, (80, 3), False)
    assert view.numbers == (4, 8)
    assert view.segments[1].hypotheses == (rows[3]["hypothesis"], rows[7]["hypothesis"])
    alone = Reader().segment_scores(part, WAY, "chrf")
    assert view.scores("chrf")[1] == pytest.approx([alone[2], alone[0]])
    assert [one.n for one in view.statistics("bleu")] == [2, 2]


def test_another_order_is_another_test(make_run):
    one, other = make_run({"de-en": 0.4}), make_run({"de-en": 0.1})
    rows = read_segments(other.folder, WAY)
    write_lines(translations_path(other.folder, WAY), rows[::-1])
    view = beside(one, other)
    assert (view.n, view.same_test) == (80, False)
    assert view.segments[1].sources == view.segments[0].sources


def test_a_sentence_that_stands_twice_is_matched_turn_by_turn(make_run):
    one, other = make_run({"de-en": 0.4}, n=3), make_run({"de-en": 0.1}, n=3)
    same = {"source": "Ja.", "reference": "Yes."}
    for run, texts in ((one, "abc"), (other, "xyz")):
        rows = [
            {**row, **same, "hypothesis": text}
            for row, text in zip(read_segments(run.folder, WAY), texts, strict=True)
        ]
        write_lines(translations_path(run.folder, WAY), rows[: 3 if run is one else 2])
    view = beside(one, other)
    assert [segments.hypotheses for segments in view.segments] == [("a", "b"), ("x", "y")]


def test_filters_by_failure_of_some_or_one_system(pair):
    view = beside(*pair, base=True)

    def found(**wanted):
        return matching(view, Filter(**wanted)).tolist()

    assert found(failure="off-target") == list(range(20))
    assert found(failure="off-target", system=2) == list(range(20))
    assert found(failure="off-target", system=1) == []
    assert found(failure="any") == list(range(20))
    assert found(failure="none") == list(range(20, 80))
    assert found(failure="none", system=1) == list(range(80))
    for wrong in ({"failure": "bad"}, {"failure": "any", "system": 3}):
        with pytest.raises(InputError):
            found(**wrong)


def test_failures_that_nobody_looked_for_are_said(make_run):
    run = make_run({"de-en": 0.2})
    changed(run, lambda row: {"failures": None})
    assert len(matching(beside(run), Filter())) == 80
    with pytest.raises(InputError, match="nobody has looked for failures in what run-1"):
        matching(beside(run), Filter(failure="any"))
    assert all("fail" not in bucket.label for bucket in buckets(beside(run), "bleu"))


def test_filters_by_text_wherever_it_stands_in_any_case(pair):
    one, _ = pair
    changed(one, lambda row: {"source": "ŒUVRE" if row["index"] == 5 else row["source"]})
    changed(one, lambda row: {"hypothesis": "a Zebra" if row["index"] == 9 else row["hypothesis"]})
    view = beside(one)
    assert matching(view, Filter(text=" œuvre ")).tolist() == [5]
    assert matching(view, Filter(text="zebra")).tolist() == [9]
    assert matching(view, Filter(text="no such word")).tolist() == []
    assert len(matching(view, Filter(text="  "))) == 80


def test_filters_by_length_in_thirds_and_by_a_range(make_run):
    run = make_run({"de-en": 0.2}, n=9)
    changed(run, lambda row: {"source": " ".join(["Wort"] * (row["index"] + 1)) + "."})
    view = beside(run)
    assert view.lengths().tolist() == list(range(1, 10))
    lengths = {
        name: (matching(view, Filter(length=name)) + 1).tolist()
        for name in ("short", "medium", "long", "2-4", "8+", "-2", "5")
    }
    assert lengths == {
        "short": [1, 2, 3], "medium": [4, 5, 6], "long": [7, 8, 9],
        "2-4": [2, 3, 4], "8+": [8, 9], "-2": [1, 2], "5": [5],
    }  # fmt: skip
    with pytest.raises(InputError, match=r"'9-2' ends before it begins.*2-9"):
        length_range("9-2")
    for text in ("", "-", "many", "1-2-3"):
        with pytest.raises(InputError, match="is no length"):
            length_range(text)


def test_characters_are_counted_where_words_are_not_set_apart(make_run):
    run = make_run({"zh-en": 0.2}, n=2, train=("zh-en",))
    path = run.folder / "translations" / "zh-en.jsonl"
    rows = read_segments(run.folder, Direction.parse("zh-en"))
    write_lines(path, [{**row, "source": "商店已经关门了。"} for row in rows])
    view = side_by_side([System((run,))], Direction.parse("zh-en"), Reader())
    assert view.lengths().tolist() == [7, 7] and view.length_unit == "characters"


def test_thirds_keep_equal_lengths_together():
    assert thirds(np.array([5] * 10)) == (5, 5)
    assert thirds(np.array([3, 1, 2])) == (1, 2)
    assert thirds(np.array([], dtype=int)) == (0, 0)


def test_orders(pair):
    view = beside(*pair, base=True)
    base, one, _ = view.scores("chrf")
    every = np.arange(80)

    def sorted_by(text, metric="chrf"):
        return ordered(view, every, Order.parse(text), metric).tolist()

    assert sorted_by("test set") == list(range(80))
    gain = one - base
    for text, key in (
        ("gain", -gain), ("loss", gain), ("difference", -np.abs(gain)), ("worst:1", one),
        ("best:1", -one),
    ):  # fmt: skip
        places = sorted_by(text)
        assert sorted(places) == list(range(80))
        assert (np.diff(key[places]) >= 0).all()
    assert sorted_by("best:1", "bleu") != sorted_by("best:1")


def test_segments_that_score_the_same_stay_in_their_order(make_run):
    run = make_run({"de-en": 0.2})
    changed(run, lambda row: {"hypothesis": ""} if row["index"] in (9, 3, 5) else {})
    view = beside(run)
    assert ordered(view, np.arange(80), Order("worst"), "chrf")[:3].tolist() == [3, 5, 9]


def test_an_order_there_is_not(pair):
    for text in ("", "best", "best:x", "gain:1", "random"):
        with pytest.raises(InputError, match="is no order"):
            Order.parse(text)
    assert str(Order.parse("best:2")) == "best:2" and str(Order.parse("loss")) == "loss"
    view = beside(pair[0])
    for text in ("gain", "worst:1"):
        with pytest.raises(InputError, match="needs 2 systems"):
            ordered(view, np.arange(3), Order.parse(text), "chrf")


def test_pages():
    places = np.arange(2000)
    assert (page_of(places, 1).places[0], page_of(places, 1).pages) == (0, 80)
    assert page_of(places, 80).places[-1] == 1999
    assert (page_of(places, 999).number, page_of(places, -3).number) == (80, 1)
    assert page_of(places[:26], 2).places == (25,)
    assert page_of(places[:0], 4) == page_of(places[:0], 1)


def test_parts_have_the_corpus_score_of_their_segments(pair):
    for run in pair:
        changed(run, lambda row: {"source": row["reference"]})
    view = beside(*pair)
    found = {bucket.label: bucket for bucket in buckets(view, "bleu")}
    assert found["all segments"].n == 80
    lost = found["off-target in some system"]
    theirs = [
        sacrebleu.corpus_bleu(segments.hypotheses[:20], [list(segments.references[:20])]).score
        for segments in view.segments
    ]
    assert lost.n == 20 and lost.scores == pytest.approx(theirs)
    assert found["no system fails"].n == 60
    by_length = [bucket.n for label, bucket in found.items() if label.startswith("source ")]
    assert len(by_length) == 3 and sum(by_length) == 80
    assert "copy in some system" not in found
    assert [bucket.label for bucket in buckets(beside(pair[1]), "chrf")][-2:] == [
        "no failure", "off-target",
    ]  # fmt: skip
