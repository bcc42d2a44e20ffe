"""What the Compare tab answers, without a browser."""

import pytest

from mtlab.errors import InputError
from mtlab.lab import Lab
from mtlab.results.segments_view import Filter, Order
from mtlab.ui.compare_answers import (
    after_click,
    choose,
    file_of,
    first_choice,
    listing,
    parts,
    significance,
)
from mtlab.ui.compare_desk import Desk, Latest
from mtlab.ui.compare_form import FIELDS, Form, field_choices, field_values
from tests.written_systems import segments, write_run

DEFAULTS = ["test set", "chrf", "reference", "", "", "", "", 1]


def values(**changed):
    return [changed.get(name, value) for name, value in zip(FIELDS, DEFAULTS, strict=True)]


@pytest.fixture
def write(home):
    count = 0

    def write(rows=None, **fields):
        nonlocal count
        count += 1
        return write_run(
            home.home, count, rows or {"de-en": segments(60, 0.3, seed=count)}, **fields
        )

    return write


@pytest.fixture
def desk(home):
    return Desk(Lab(home))


def test_every_control_is_read_and_written_back():
    form = Form.read(
        values(order="worst:1", metric="bleu", against="1", failure="copy", failing="0",
               length="5-12", text=" ferry ", page=3.0)
    )  # fmt: skip
    assert (form.order, form.metric, form.against, form.page) == (Order("worst", 1), "bleu", 1, 3)
    assert form.wanted == Filter("copy", 0, "5-12", " ferry ")
    assert Form.read(list(field_values(form).values())) == form
    assert tuple(field_values(form)) == FIELDS
    assert Form.read([None, "chrf", None, None, None, None, None, None]) == Form()


@pytest.mark.parametrize(
    "wrong",
    [
        {"order": "gain; drop"},
        {"metric": "ter"},
        {"against": "7"},
        {"failing": "-1"},
        {"page": "many"},
        {"page": float("inf")},
        {"text": "x" * 201},
    ],
)
def test_a_value_that_no_control_has_is_one_sentence(wrong):
    with pytest.raises(InputError) as refused:
        Form.read(values(**wrong))
    assert "\n" not in str(refused.value) and refused.value.fix


def test_what_fewer_systems_do_not_allow_falls_back(desk, write):
    run = write()
    view = choose(desk, [run], "de-en").view
    form = Form(Order("best", 1), "comet", 1, Filter("any", 1, "long ago"), page=2)
    assert form.fitting(view) == Form(wanted=Filter("any"), page=2)
    assert Form(Order("gain")).fitting(view).order == Order()
    orders = [value for _, value in field_choices(view, ["one"])["order"]]
    assert orders == ["test set", "worst:0", "best:0"]
    assert all(Order.parse(order) for order in orders)


def test_the_choices_and_what_is_chosen_first(desk, write):
    assert (desk.choices(), first_choice(desk, [], ())) == ([], [])
    old, new = write(size=16), write(size=64)
    ids = [system for _, system in desk.choices()]
    assert ids == [f"base:{new}", new, old]
    assert first_choice(desk, ids, ()) == [f"base:{new}", new]
    assert first_choice(desk, ids, (old,)) == [f"base:{new}", old]
    assert first_choice(desk, ids, (old, new)) == [old, new, f"base:{new}"]
    assert first_choice(desk, ids, ("gone", old)) == [f"base:{new}", old]
    four = [write(size=size) for size in (1, 2, 3, 4)]
    ids = [system for _, system in desk.choices()]
    assert first_choice(desk, ids, four) == four


def test_a_base_beside_other_tests_is_another_choice(desk, write):
    one = write()
    other = write({"fr-en": segments(10, 0.3)}, train=("fr-en",))
    assert [label for label, _ in desk.choices()][:2] == [
        f"nano, untuned (beside {other})", f"nano, untuned (beside {one})",
    ]  # fmt: skip


def test_scores_of_a_run_and_its_base_with_all_that_makes_them_again(desk, write):
    run = write()
    found = choose(desk, [f"base:{run}", run], "xx-yy")
    assert (found.direction, found.directions, found.untold) == ("de-en", ("de-en",), "")
    for text in ("nano untuned", "32 pairs", "nrefs:1|bs:1000|seed:12345", "60 segments", run):
        assert text in found.scores
    assert "repetition 33%" in found.scores
    more, html = significance(desk, found.showing, "chosen")
    assert not more
    for text in (
        "<li>32 pairs is ", "de-en BLEU above nano untuned (95% interval",
        "people agree with such a difference in about", "n:60|paired-bs:10000|seed:12345",
        "one seed: the interval says nothing about other seeds", "mt-thresholds", "of 2<",
    ):  # fmt: skip
        assert text in html
    assert "all segments" in parts(desk, found.showing, "bleu")
    assert "Corpus chrF" in parts(desk, found.showing, "comet")


def test_more_seeds_are_offered_and_taken(desk, write):
    runs = [write(seed=seed) for seed in (0, 1, 2)]
    found = choose(desk, [f"base:{runs[0]}", runs[0]], None)
    more, alone = significance(desk, found.showing, "chosen")
    _, together = significance(desk, found.showing, "every")
    assert more and "1 seed)" in alone and "3 seeds)" in together
    assert (
        "over:segments+seeds" in together
        and "3 seeds: the interval over seeds is rough" in together
    )
    with pytest.raises(InputError):
        significance(desk, found.showing, "most")


def test_no_run_one_run_and_no_shared_direction(desk, write):
    assert "launch one first" in choose(desk, [], None).scores
    one = write()
    alone = choose(desk, [one], None)
    assert significance(desk, alone.showing, "chosen") is None and "second system" in alone.untold
    other = write({"fr-en": segments(10, 0.3)})
    found = choose(desk, [one, other], "de-en")
    assert found.showing is None and "share no test direction (32 pairs" in found.scores
    assert "de-en; " in found.scores and "fr-en)" in found.scores
    assert (listing(desk, None, Form()), parts(desk, None, "chrf")) == ("", "")


def test_different_segments_are_said_and_what_is_shared_is_shown(desk, write):
    whole = write(size=64)
    part = write({"de-en": segments(60, 0.2)[20:30]}, size=16)
    found = choose(desk, [whole, part], "de-en")
    sentence = "64 pairs: 60, 16 pairs: 10): below are the 10 that all share"
    assert sentence in found.scores and "same test corpus" in found.scores
    assert significance(desk, found.showing, "chosen") is None
    page = listing(desk, found.showing, Form())
    assert "10 of 10 match" in page and 'aria-label="Segment 21"' in page
    none = write({"de-en": [{**row, "source": "another"} for row in segments(5, 0.2)]}, size=8)
    found = choose(desk, [whole, none], "de-en")
    assert found.view is None and "no segment is shared" in found.scores
    assert parts(desk, found.showing, "chrf") == ""


def test_a_run_without_its_translations_says_so(desk, write, home):
    run = write()
    (home.runs / run / "translations" / "de-en.jsonl").unlink()
    found = choose(desk, [run], "de-en")
    assert found.showing is None and "has no translations for de-en" in found.scores


def test_systems_that_cannot_be_had(desk, write):
    run = write()
    for ids in (["20990101-000000-0000"], ["base:../x"], [run, run], [run] * 5):
        with pytest.raises(InputError):
            choose(desk, ids, None)


def test_the_listing_says_how_many_match_and_marks_against_what_is_asked(desk, write):
    run = write({"de-en": segments(60, 0.3, off_target=0.1)})
    showing = choose(desk, [f"base:{run}", run], None).showing
    page = listing(desk, showing, Form(wanted=Filter("off-target", 1)))
    assert "page 1 of 1: 6 of 60 match" in page and "off-target: German" in page
    assert "to look at and not to average: nrefs:1|case:mixed|eff:yes|nc:6" in page
    assert "None of the 60 segments matches" in listing(
        desk, showing, Form(wanted=Filter(text="nowhere"))
    )
    # Against itself a system differs in nothing.
    row = listing(desk, showing, Form(page=2, against=1)).split("<tr data-open")[1]
    assert "<mark>" not in row.split('data-label="B')[1]


def test_an_opened_segment_is_shown_across_sizes(desk, write):
    runs = [write(size=size) for size in (16, 32)]
    noisy = write(size=32, noise={"kind": "word", "side": "source"})
    showing = choose(desk, [runs[1]], None).showing
    page = listing(desk, showing, Form(opened=2))
    assert 'aria-label="Segment 2 across runs"' in page
    assert "sizes: nano, de-en alone" in page and "noise sides: word noise, 32 pairs" in page
    assert page.count('<tr data-step="') == 3 and 'aria-valuetext="32 pairs"' in page
    assert "Best by sentence chrF: " in page
    assert "Size: <output>16 pairs</output>" in listing(
        desk, choose(desk, [runs[0], runs[1]], None).showing, Form(opened=2)
    )
    key = f"word noise sides:{runs[1]}"
    sides = listing(desk, showing, Form(opened=2, family=key))
    assert "Noise on: <output>clean</output>" in sides and noisy in sides
    assert "across runs" not in listing(desk, showing, Form(opened=26))  # not on this page


def test_clicks():
    form = Form(page=2, opened=4)
    assert after_click(form, {"open": 7})[0].opened == 7
    assert after_click(form, {"open": 4})[0].opened is None
    turned = after_click(form, {"page": 3})[0]
    assert (turned.page, turned.opened) == (3, None)
    assert after_click(form, {"across": "sizes:x"})[0].family == "sizes:x"
    assert after_click(form, {"run": "x"}) == (form, "x")
    for nonsense in (None, {}, {"open": "7"}, {"page": 1.5}, "open", [1], {"run": None}):
        with pytest.raises(InputError):
            after_click(form, nonsense)


def test_files_hold_all_pages_of_what_is_filtered(desk, write):
    run = write({"de-en": segments(60, 0.3, off_target=0.5)})
    showing = choose(desk, [run], None).showing
    name, text = file_of(desk, showing, Form(wanted=Filter("off-target")), "csv")
    assert name == "segments-de-en.csv" and len(text.splitlines()) == 31
    name, text = file_of(desk, showing, Form(), "jsonl")
    assert name == "segments-de-en.jsonl" and len(text.splitlines()) == 60
    with pytest.raises(InputError):
        file_of(desk, None, Form(), "csv")


def test_what_is_shown_is_still_the_same_until_its_file_changes(desk, write, home):
    run = write()
    latest = Latest((run,), choose(desk, [run], None).showing)
    assert desk.still(latest, [run]) and not desk.still(latest, [f"base:{run}", run])
    assert not desk.still(Latest(), [run])
    path = home.runs / run / "translations" / "de-en.jsonl"
    path.write_text(path.read_text() + "\n")
    assert not desk.still(latest, [run])
