"""The experiment matrix, from runs that are values: nothing is read from a disk."""

import itertools

import pytest

from mtlab.defaults import complete
from mtlab.errors import InputError
from mtlab.presets import BASES
from mtlab.results.empty_cells import empty_cell_spec
from mtlab.results.filters import MEAN, Filters, fitted, of_run
from mtlab.results.lessons import as_chosen, recipe_of
from mtlab.results.matrix import LADDER, matrix_of
from mtlab.results.seen import SeenRun
from mtlab.runs.status import Status
from mtlab.settings import Settings
from mtlab.spec import RunSpec

SETTINGS = Settings.from_environment({"MTLAB_HOME": "/nowhere"})
NOISE = {"kind": "word", "side": "target"}


@pytest.fixture
def make():
    """Make a run; each is newer than the one before."""
    count = itertools.count(1)

    def run(bleu=None, state="finished", progress=1.0, chrf=None, **fields):
        number = next(count)
        spec = RunSpec.from_json({"train": ["de-en"], "metrics": ["bleu", "chrf"], **fields})
        spec = complete(spec, BASES.get(spec.base, BASES["nano"]))
        scores = {direction: {"bleu": value} for direction, value in (bleu or {}).items()}
        for direction, value in (chrf or {}).items():
            scores.setdefault(direction, {})["chrf"] = value
        name = f"20260101-{number:06d}-0000"
        status = Status(name, state=state, progress=progress)
        return SeenRun(name, spec, status, recipe_of(spec, SETTINGS), scores)

    return run


def matrix(*runs, **wanted):
    newest_first = sorted(runs, key=lambda run: run.id, reverse=True)
    filters, _ = fitted(newest_first, Filters(**wanted))
    return matrix_of(newest_first, filters)


def cell(made, size, row=0, panel=0):
    return next(one for one in made.panels[panel].rows[row].cells if one.size == size)


def test_a_finished_run_fills_its_cell_with_its_score(make):
    run = make({"de-en": 12.72}, size=32)
    found = cell(matrix(run), 32)
    assert (found.value, found.runs, found.newest) == (12.72, (run.id,), run.id)
    assert found.words == "32 pairs, de-en, clean: BLEU 12.7, finished"


def test_the_ladder_gives_columns_to_what_was_not_run_yet(make):
    made = matrix(make({"de-en": 1.0}, size=48))
    assert made.panels[0].sizes == tuple(sorted({48, *LADDER}))
    empty = cell(made, 64)
    assert not empty.runs
    assert empty.words == "Launch 64 pairs, de-en, clean"


def test_seeds_share_a_cell_and_its_value_is_their_mean(make):
    runs = [make({"de-en": value}, seed=seed) for seed, value in enumerate((10.0, 13.0))]
    found = cell(matrix(*runs), 32)
    assert (found.value, found.low, found.high) == (11.5, 10.0, 13.0)
    assert found.runs == tuple(run.id for run in runs) and found.standing == "2 seeds"


def test_a_cell_says_how_each_of_its_seeds_stands(make):
    runs = [
        make({"de-en": 10.0}, seed=0),
        make(state="running", progress=0.4, seed=1),
        make(state="failed", progress=0.1, seed=2),
        make(state="queued", progress=0.0, seed=3),
    ]
    found = cell(matrix(*runs), 32)
    assert found.standing == "1/4 seeds, 1 queued, 1 running 40%, 1 failed"
    assert (found.value, found.progress, found.brief) == (10.0, 0.4, "1/4 seeds, 40%")
    assert cell(matrix(runs[0], *runs[2:]), 32).brief == "1/3 seeds, 1 failed"
    alone = cell(matrix(make(state="running", progress=0.4)), 32)
    assert alone.standing == "running 40%" and alone.value is None


def test_of_a_seed_that_was_run_again_the_finished_one_counts_until_the_next_is_done(make):
    first, failed = make({"de-en": 10.0}), make(state="failed")
    found = cell(matrix(first, failed), 32)
    assert (found.value, found.runs, found.others) == (10.0, (first.id,), 1)
    again = make(state="running", progress=0.5)
    found = cell(matrix(first, failed, again), 32)
    assert (found.value, found.standing, found.newest) == (10.0, "running 50%", again.id)
    better = make({"de-en": 11.0})
    assert cell(matrix(first, failed, better), 32).value == 11.0


def test_runs_of_another_recipe_are_counted_and_not_averaged(make):
    old = make({"de-en": 10.0}, seed=0)
    new = make({"de-en": 20.0}, seed=1, training={"steps": 99})
    found = cell(matrix(old, new), 32)
    assert (found.value, found.runs, found.others) == (20.0, (new.id,), 1)
    assert "and 1 more of other settings" in found.words


def test_the_mean_is_over_directions_and_one_can_be_chosen(make):
    run = make({"de-en": 10.0, "en-de": 20.0}, test=["de-en", "en-de"])
    assert cell(matrix(run), 32).value == 15.0
    assert cell(matrix(run, direction="en-de"), 32).value == 20.0
    other = make({"de-en": 9.0}, train=["en-de"], test=["de-en"])
    made = matrix(run, other)
    assert made.mixed and not matrix(run, other, direction="de-en").mixed
    untested = cell(matrix(run, other, direction="en-de"), 32, row=1)
    assert untested.value is None and untested.standing == "finished"


def test_panels_are_clean_and_the_noise_sides_that_have_runs(make):
    clean = make({"de-en": 12.0})
    assert [panel.name for panel in matrix(clean).panels] == ["Clean"]
    target = make({"de-en": 8.0}, noise=NOISE)
    half = make({"de-en": 9.0}, noise={**NOISE, "ratio": 0.5})
    source = make({"de-en": 10.0}, noise={**NOISE, "side": "source"})
    made = matrix(clean, target, half, source)
    assert [panel.name for panel in made.panels] == [
        "Clean",
        "Word noise on the source side",
        "Word noise on the target side",
        "Word noise on the target side, 50% of the pairs",
    ]
    assert [cell(made, 32, panel=place).value for place in range(4)] == [12.0, 10.0, 8.0, 9.0]
    assert cell(made, 32, panel=2).words.startswith("32 pairs, de-en, word noise, target: BLEU 8.0")


def test_noise_alone_still_has_a_clean_panel_to_launch_from(make):
    made = matrix(make({"de-en": 8.0}, noise=NOISE))
    assert [panel.side for panel in made.panels] == ["clean", "target"]
    assert cell(made, 32).words == "Launch 32 pairs, de-en, clean"


def test_every_panel_has_every_row_those_on_most_directions_first(make):
    six = ["de-en", "en-de", "fr-en", "en-fr", "de-fr", "fr-de"]
    made = matrix(
        make({"de-en": 1.0}, train=["en-de"], test=["de-en"]),
        make({"de-en": 2.0}, train=six, test=["de-en"], noise=NOISE),
        make({"de-en": 3.0}, reverse=0.25, test=["de-en"]),
    )
    for panel in made.panels:
        assert [row.name for row in panel.rows] == ["6 directions", "de-en", "en-de"]
    assert made.panels[0].rows[1].detail == "25% reversed"
    assert made.panels[0].rows[0].detail == "de-en de-fr en-de en-fr fr-de fr-en"


def test_systems_that_are_not_trained_have_rows_of_their_own(make):
    trained = make({"de-en": 12.0}, test=["de-en"])
    shot = make({"de-en": 3.0}, training={"method": "few-shot"}, size=3, train=[], test=["de-en"])
    other = make(
        {"de-en": 30.0}, base="a/nllb", training={"method": "none"}, test=["de-en"], train=[]
    )
    noisy = make({"de-en": 8.0}, noise=NOISE)
    made = matrix(trained, shot, other, noisy)
    assert [panel.side for panel in made.panels] == ["clean", "target", "untrained"]
    assert [row.name for row in made.panels[0].rows] == ["de-en"]
    assert [row.name for row in made.panels[1].rows] == ["de-en"]
    rows = made.panels[2].rows
    assert [(row.name, row.detail) for row in rows] == [("few-shot", ""), ("not trained", "a/nllb")]
    assert made.panels[2].sizes == (1, 3, 5)
    assert cell(made, 3, panel=2).words == "3 examples shown, few-shot: BLEU 3.0, finished"
    assert cell(made, 1, panel=2).words == "Launch 1 example shown, few-shot"
    (only,) = rows[1].cells
    assert only.words == "not trained, a/nllb: BLEU 30.0, finished"
    assert (cell(made, 3, panel=2).shade, only.shade) == (0, 1)


def test_an_empty_few_shot_cell_asks_for_more_examples(make):
    shot = make({"de-en": 3.0}, training={"method": "few-shot"}, size=30, train=[], test=["de-en"])
    made = matrix(shot)
    panel = made.panels[0]
    nearest, changes = empty_cell_spec([shot], made, panel.key, panel.rows[0].key, 5)
    spec = RunSpec.from_json({**as_chosen(nearest.spec, SETTINGS), **changes})
    assert (spec.size, spec.training.method) == (5, "few-shot")


def test_a_lab_of_one_untrained_system_shows_it(make):
    made = matrix(make({"de-en": 30.0}, base="a/nllb", training={"method": "none"}, test=["de-en"]))
    assert made.panels[0].sizes == ()
    assert made.panels[0].rows[0].cells[0].value == 30.0


def test_shades_go_from_the_least_to_the_largest_of_all_panels(make):
    made = matrix(
        make({"de-en": 5.0}, size=16), make({"de-en": 10.0}, size=32),
        make({"de-en": 15.0}, size=32, noise=NOISE),
    )  # fmt: skip
    assert [cell(made, 16).shade, cell(made, 32).shade, cell(made, 32, panel=1).shade] == [
        0,
        0.5,
        1,
    ]
    assert cell(matrix(make({"de-en": 5.0})), 32).shade == 0.5


def test_filters_begin_with_the_newest_run_and_offer_what_occurs(make):
    runs = [
        make({"de-en": 5.0}, training={"method": "lora"}, noise={"kind": "typo", "side": "source"}),
        make({"de-en": 6.0, "fr-en": 7.0}, chrf={"de-en": 30.0}, test=["de-en", "fr-en"]),
    ]
    filters, choices = fitted(runs[::-1], Filters())
    assert filters == Filters("nano", "everyday", "full", "", "bleu", MEAN)
    assert choices.method == ("full", "lora") and choices.noise == ()
    assert choices.metric == ("bleu", "chrf")
    assert choices.direction == (MEAN, "de-en", "fr-en")
    filters, choices = fitted(runs[::-1], Filters(method="lora", direction="fr-en"))
    assert (filters.noise, filters.direction, choices.metric) == ("typo", MEAN, ("bleu",))


def test_a_value_that_does_not_occur_gives_way(make):
    filters, _ = fitted([make({"de-en": 5.0})], Filters("gone", "x", "y", "z", "comet", "is-en"))
    assert filters == Filters("nano", "everyday", "full", "", "bleu", MEAN)
    assert fitted([], Filters())[0] == Filters()


def test_the_filters_of_a_run_show_it(make):
    runs = [
        make({"de-en": 5.0}, training={"method": "lora"}, noise={"kind": "typo", "side": "source"}),
        make({"de-en": 6.0}, noise=NOISE),
        make({"de-en": 6.0}, base="qwen3-0.6b"),
        make({"de-en": 7.0}, training={"method": "few-shot"}, size=3, test=["de-en"], train=[]),
    ]
    for run in runs:
        filters, _ = fitted(runs[::-1], of_run(run))
        assert matrix_of(runs[::-1], filters).seeds_of(run.id) == (run.id,)


def test_what_filters_hide_is_counted(make):
    made = matrix(make({"de-en": 5.0}), make({"de-en": 5.0}, training={"method": "lora"}))
    assert (len(made.shown), made.hidden) == (1, 1)


@pytest.mark.parametrize(
    ("row", "panel", "size", "changes"),
    [
        (0, 0, 64, {"size": 64, "train": ["de-en", "en-de"], "reverse": 0.0, "noise": {}}),
        (1, 0, 16, {"size": 16, "train": ["en-de"], "reverse": 0.0, "noise": {}}),
    ],
)
def test_an_empty_cell_is_launched_like_its_neighbour(make, row, panel, size, changes):
    both = make({"de-en": 5.0}, train=["de-en", "en-de"], size=32, seed=3, test=["de-en"])
    one = make({"de-en": 5.0}, train=["en-de"], size=1024, test=["de-en"])
    runs = [one, both]
    made = matrix(*runs)
    place, line = made.panels[panel], made.panels[panel].rows[row]
    nearest, found = empty_cell_spec(runs, made, place.key, line.key, size)
    assert nearest == (both, one)[row] and found == changes
    spec = RunSpec.from_json({**as_chosen(nearest.spec, SETTINGS), **found})
    assert (spec.seed, spec.training.steps, spec.test) == (
        nearest.spec.seed, None, nearest.spec.test,
    )  # fmt: skip


def test_an_empty_noisy_cell_takes_the_noise_of_its_panel(make):
    runs = [make({"de-en": 5.0}, size=64, noise={**NOISE, "ratio": 0.5}), make({"de-en": 5.0})]
    made = matrix(*runs)
    panel = made.panels[1]
    nearest, changes = empty_cell_spec(runs, made, panel.key, panel.rows[0].key, 32)
    spec = RunSpec.from_json({**as_chosen(nearest.spec, SETTINGS), **changes})
    assert (spec.noise.kind, spec.noise.side, spec.noise.ratio) == ("word", "target", 0.5)


def test_a_cell_that_is_not_there_is_refused(make):
    runs = [make({"de-en": 5.0})]
    made = matrix(*runs)
    row = made.panels[0].rows[0].key
    for panel, line, size in (("x", row, 64), ("clean 0", "x", 64), ("clean 0", row, 32)):
        with pytest.raises(InputError, match="not there any more"):
            empty_cell_spec(runs, made, panel, line, size)


def test_what_was_left_open_is_open_again_and_what_was_chosen_stays(make):
    run = make(size=1024, training={"learning_rate": 1e-4}, name="mine", group="g")
    data = as_chosen(run.spec, SETTINGS)
    assert (data["name"], data["group"], data["training"]["steps"]) == (None, None, None)
    assert data["training"]["learning_rate"] == 1e-4 and data["training"]["method"] == "full"
    shot = make(training={"method": "few-shot"}, size=3, test=["de-en"], train=[])
    assert RunSpec.from_json(as_chosen(shot.spec, SETTINGS)).size == 3
