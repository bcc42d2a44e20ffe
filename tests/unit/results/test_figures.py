"""Figures: what is drawn, what is said of it, and that the numbers below it are the ones drawn."""

import json

import pytest

from mtlab.results.figures import (
    MOST_BARS,
    MOST_LINES,
    comparable,
    failures_plot,
    noise_plot,
    paper_size_plot,
    paper_transfer_plot,
    plots,
    relative_plot,
    size_plot,
    transfer_plot,
)
from mtlab.results.table import frame_of, over_directions, over_seeds

SIGNATURE = "model:Unbabel/wmt22-comet-da|n:8"
HOSTILE = "<img src=x onerror=alert(1)>"


def row(value=10.0, **fields):
    """A row of `runs_frame`."""
    kept = {
        "id": "r", "name": None, "seed": 0, "group": "g", "base": "nano", "cycle": 1,
        "corpus": "everyday", "test_corpus": "everyday", "size": 32, "train": "de-en",
        "noise": "none", "side": "", "ratio": 0.0, "reverse": 0.0, "method": "lora", "steps": 8,
        "learning_rate": 1e-3, "recipe": "x", "system": "run", "direction": "de-en",
        "metric": "bleu", "value": value, "low": value - 2, "high": value + 3, "n": 8,
        "signature": SIGNATURE, "off_target": 0.0, "stacked_off_target": 0.0,
    }  # fmt: skip
    return {**kept, **fields}


def means(rows):
    return over_seeds(frame_of(rows))


def drawn(plot):
    assert json.loads(json.dumps(plot.figure, allow_nan=False)) == plot.figure
    return plot.figure["data"]


def test_a_bar_is_over_segments_with_one_seed_and_over_seeds_with_several():
    one = [row(10, size=16), row(20, size=64)]
    plot = size_plot(means(one), "bleu")
    (line,) = drawn(plot)
    assert (line["error_y"]["arrayminus"], line["error_y"]["array"]) == ([2.0, 2.0], [3.0, 3.0])
    assert "95% bootstrap intervals over segments" in plot.note
    two = [*one, row(12, size=16, seed=1), row(26, size=64, seed=1)]
    plot = size_plot(means(two), "bleu")
    (line,) = drawn(plot)
    assert line["y"] == [11.0, 23.0]
    assert line["error_y"]["array"] == [1.0, 3.0]
    assert plot.note == "Bars: from the smallest of 2 seeds to the largest."
    assert plot.table.rows[1] == ("de-en only", "de-en", "64", "23.0", "20.0 to 26.0, 2 seeds", "8")


def test_a_seed_that_was_run_twice_has_no_interval_of_one_of_them():
    twice = [row(10, size=16), row(14, size=16, id="again"), row(20, size=64)]
    (line,) = drawn(size_plot(means(twice), "bleu"))
    assert line["error_y"]["array"] == [None, 3.0]


def test_lines_of_one_size_stand_a_little_aside_and_say_their_true_size():
    rows = [row(direction=d, size=size) for d in ("de-en", "en-de") for size in (16, 64)]
    plot = size_plot(means(rows), "bleu")
    lines = drawn(plot)
    assert [line["name"] for line in lines] == ["de-en", "en-de"]
    assert len({line["x"][0] for line in lines}) == 2
    assert all(line["text"] == ["16 pairs", "64 pairs"] for line in lines)
    assert all(abs(x - size) < 0.1 * size for x, size in zip(lines[0]["x"], (16, 64), strict=True))


def test_many_lines_become_means_over_directions_and_the_rest_is_in_the_legend():
    directions = ("de-en", "en-de", "en-fr")
    trains = [f"{a}-{b}" for a in ("de", "en", "fr", "cs") for b in ("is", "ja", "ru", "zh")]
    rows = [
        row(10 + number, train=train, direction=direction, size=size, id=train + str(size))
        for number, train in enumerate(trains)
        for direction in directions
        for size in (16, 64)
    ]
    size = next(plot for plot in plots(frame_of(rows)) if plot.name == "size")
    lines = drawn(size)
    assert len(lines) == len(trains) > MOST_LINES
    hidden = [line for line in lines if line.get("visible") == "legendonly"]
    assert len(lines) - len(hidden) == MOST_LINES
    assert f"{MOST_LINES} of {len(trains)} lines are drawn" in size.note
    assert {row[1] for row in size.table.rows} == {"mean of 3 directions"}
    each = plots(frame_of(rows), lines="each")[0]
    assert len(drawn(each)) == 3 * len(trains)


def test_means_over_other_directions_are_told_apart():
    rows = [
        *(row(10, id="a", direction=d) for d in ("de-en", "en-de")),
        *(row(20, id="b", seed=1, direction=d) for d in ("de-en", "en-fr")),
        row(30, id="c", seed=2, direction="de-en"),
    ]
    averaged = over_directions(frame_of(rows))
    found = dict(zip(averaged["id"], averaged["direction"], strict=True))
    assert found == {"a": "mean of de-en en-de", "b": "mean of de-en en-fr", "c": "de-en"}
    assert averaged.set_index("id")["low"].isna().to_dict() == {"a": True, "b": True, "c": False}


def test_the_papers_curve_is_drawn_on_the_axis_of_its_own_metric_alone():
    rows = [
        row(0.8, size=size, metric=metric) for size in (16, 64)
        for metric in ("comet", "gated-comet", "bleu")
    ]  # fmt: skip
    frame = frame_of(rows)
    by_metric = {name: plots(frame, name)[0] for name in ("comet", "gated-comet", "bleu")}
    assert len(drawn(by_metric["bleu"])) == len(drawn(by_metric["gated-comet"])) == 1
    own, paper = drawn(by_metric["comet"])
    assert paper["x"] == [32, 1024, 74623] and paper["y"][0] == pytest.approx(0.8229)
    assert "arXiv 2404.14122" in by_metric["comet"].note
    assert not comparable("comet", ("model:Unbabel/XCOMET-XL|n:8",))


def test_the_papers_own_plots_say_where_they_are_from():
    for plot in (paper_size_plot(), paper_transfer_plot()):
        assert drawn(plot) and "EMNLP 2024" in plot.note
    assert paper_transfer_plot().table.rows[0][:2] == ("de-en only", "100")
    assert "58 to 82%" in paper_transfer_plot().summary


def test_percent_are_of_the_run_with_the_most_directions_that_is_otherwise_the_same():
    both = "de-en en-de"
    rows = [
        row(20, train=both, direction="de-en"), row(10, train=both, direction="en-de"),
        row(22, train="de-en", direction="de-en"), row(1, train="de-en", direction="en-de"),
        row(5, train="en-de", direction="en-de", size=64),  # nothing to be held against
    ]  # fmt: skip
    plot = relative_plot(means(rows), "bleu")
    (heat,) = drawn(plot)
    assert heat["y"] == ["de-en + en-de", "de-en only"] and heat["x"] == ["de-en", "en-de"]
    assert heat["z"] == [[100.0, 100.0], [pytest.approx(110.0), pytest.approx(10.0)]]
    assert "10%, in en-de after training on de-en only" in plot.summary
    assert relative_plot(means(rows[2:]), "bleu") is None


def test_a_heatmap_of_too_many_rows_is_drawn_at_one_size_and_says_so():
    trains = ("de-en", "en-de", "en-fr", "fr-en", "de-fr")
    rows = [row(train=t, size=size) for t in trains for size in (8, 16, 32, 64, 128)]
    rows.append(row(train="fr-de", size=64))
    plot = transfer_plot(means(rows), "bleu")
    assert plot.note == "Drawn at 64 pairs alone, of 5 sizes."
    assert len(plot.table.rows) == 6
    here = plots(frame_of(rows), at=16)
    assert len(next(one for one in here if one.name == "transfer").table.rows) == 5


def test_noise_stands_beside_clean_runs_of_the_same_setting_alone():
    noisy = {"noise": "word", "ratio": 1.0}
    rows = [
        row(20), row(18, **noisy, side="source"), row(12, **noisy, side="target"),
        row(9, size=64, **noisy, side="target"),  # no clean run of 64 pairs
    ]  # fmt: skip
    plot = noise_plot(means(rows), "bleu")
    bars = drawn(plot)
    assert [(bar["name"], bar["x"], bar["y"]) for bar in bars] == [
        ("clean", ["de-en"], [20.0]),
        ("word noise, source", ["de-en"], [18.0]),
        ("word noise, target", ["de-en"], [12.0]),
    ]
    assert bars[1]["marker"]["color"] == bars[2]["marker"]["color"] != bars[0]["marker"]["color"]
    patterns = {bar["marker"]["pattern"]["shape"] for bar in bars}
    assert len(patterns) == 3
    assert "word noise, source -2.0; word noise, target -8.0" in plot.summary
    assert [cell[4] for cell in plot.table.rows] == ["", "-2.0", "-8.0"]
    assert noise_plot(means(rows[1:]), "bleu") is None


def test_of_many_bars_the_ones_that_fail_the_most_are_drawn():
    directions = [f"{a}-{b}" for a in ("de", "en", "fr", "cs", "ja") for b in
                  ("is", "ha", "ru", "zh", "uk", "hr", "nl", "it", "es", "pt")]  # fmt: skip
    rows = [
        row(direction=direction, stacked_off_target=number / 100)
        for number, direction in enumerate(directions)
    ]
    plot = failures_plot(means(rows))
    (bar,) = drawn(plot)
    assert len(bar["y"]) == MOST_BARS < len(plot.table.rows) == len(directions)
    assert max(bar["x"]) == 0.49 and min(bar["x"]) == 0.1
    assert f"The {MOST_BARS} of {len(directions)} bars that fail the most." in plot.note
    averaged = next(one for one in plots(frame_of(rows)) if one.name == "failures")
    assert len(averaged.table.rows) == 1


def test_what_people_named_is_no_markup_in_a_figure():
    rows = [
        row(10, size=size, base=base, train=train, stacked_off_target=0.5)
        for size in (16, 64)
        for base in (HOSTILE, "nano")
        for train in ("de-en", "de-en en-de")
    ]
    for plot in plots(frame_of(rows)):
        names = json.dumps([trace.get("name") for trace in drawn(plot)])
        ticks = json.dumps(plot.figure["layout"]["yaxis"].get("ticktext"))
        assert "<img" not in names + ticks
        if plot.name == "failures":
            assert "&lt;img" in ticks
