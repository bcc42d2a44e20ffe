"""The pages of docs/replication: verdicts that follow from findings, and nothing else."""

import random
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from benchmarks.replication import __main__ as replication
from benchmarks.replication.markdown import table
from benchmarks.replication.svg import svg_of
from benchmarks.replication.verdicts import OUTCOMES, tallies
from mtlab.defaults import complete
from mtlab.experiments import Choices, preset
from mtlab.presets import BASES
from mtlab.results.findings import findings
from mtlab.runs.files import read_json, write_json, write_lines
from mtlab.runs.placing import placed
from mtlab.runs.store import RunStore
from mtlab.scoring import score_systems
from tests.unit.results.conftest import damaged, sentences

WORD = {"kind": "word"}


def told(sweep, runs, home):
    specs = {run.id: run.spec for run in runs}
    return tallies(sweep, findings(runs, home), specs)


def said(found, beginning):
    return [one for one in found if one.claim.says.startswith(beginning)]


def noisy(make_run, harms):
    """Clean runs and runs with noise on either side, of some harm, at two sizes."""
    return [
        make_run({"en-de": harm}, train=["en-de"], size=size, noise=noise, seed=seed)
        for size in (32, 256)
        for noise, harm in zip(
            ({}, {**WORD, "side": "source"}, {**WORD, "side": "target"}), harms, strict=True
        )
        for seed in (0, 1)
    ]


def test_what_was_found_as_in_the_paper_is_shown(make_run, home):
    found = told("paper/noise", noisy(make_run, (0.1, 0.1, 0.6)), home)
    (target,) = said(found, "Noise on the target side costs something")
    assert (target.outcome, target.about) == ("shown", "word noise")
    assert target.verdict == "shown in all 2 comparisons"
    assert target.numbers.startswith("-") and target.numbers.endswith(" BLEU")
    (source,) = said(found, "Noise on the source side")
    assert (source.outcome, source.verdict) == (
        "no loss found", "no difference found in all 2 comparisons",
    )  # fmt: skip
    (sides,) = said(found, "Noise on the target side costs more")
    assert sides.outcome == "shown"
    (rare,) = said(found, "Noise on the target side costs most")
    assert (rare.outcome, rare.numbers) == ("not compared", "-")
    assert rare.verdict == "not compared: the runs that it needs are not there"


def test_what_does_not_show_is_said_to_be_no_difference(make_run, home):
    found = told("paper/noise", noisy(make_run, (0.3, 0.3, 0.3)), home)
    (target,) = said(found, "Noise on the target side costs something")
    assert target.outcome == "not shown"
    assert target.verdict == "no difference found in all 2 comparisons"


def test_the_opposite_and_an_unexpected_loss_are_said(make_run, home):
    found = told("paper/noise", noisy(make_run, (0.4, 0.7, 0.1)), home)
    (target,) = said(found, "Noise on the target side costs something")
    assert (target.outcome, target.verdict) == (
        "otherwise", "the opposite found in all 2 comparisons",
    )  # fmt: skip
    (source,) = said(found, "Noise on the source side")
    assert (source.outcome, source.verdict) == ("otherwise", "a loss found in all 2 comparisons")


def test_a_part_is_a_part(make_run, home):
    runs = [one for one in noisy(make_run, (0.1, 0.1, 0.6)) if one.spec.size == 32]
    runs += [one for one in noisy(make_run, (0.1, 0.1, 0.1)) if one.spec.size == 256]
    (target,) = said(told("paper/noise", runs, home), "Noise on the target side costs something")
    assert target.outcome == "in part"
    assert target.verdict == (
        "shown in 1 of 2 comparisons, no difference found in 1 of 2 comparisons"
    )


def test_the_papers_numbers_stand_beside_shares(make_run, home):
    both = {"en-de": 0.2, "de-en": 0.2}
    runs = [make_run(both, train=["en-de"], size=size) for size in (16, 32, 64)]
    (few,) = said(told("paper/size", runs, home), "Beyond 32 pairs")
    assert few.claim.theirs("") == "82.29 of 84.48 COMET (97%)"
    assert few.numbers.startswith("keeps ") and few.counts == (1, 0, 0)
    four = dict.fromkeys(("en-de", "de-en", "en-fr", "fr-en"), 0.2)
    runs = [make_run(four, train=train) for train in (list(four), ["en-de"], ["de-en"])]
    found = told("paper/direction", runs, home)
    (one,) = said(found, "One direction is enough")
    assert (one.about, one.claim.theirs(one.about)) == ("en-de alone", "95% to 99% of COMET kept")
    (into,) = said(found, "With English as the only target translation into English")
    assert into.claim.theirs("") == "99% to 100% of COMET kept"


@pytest.fixture
def one_direction_each(home):
    """The runs of paper/direction with one seed, de-en and fr-en going off target; and one more."""
    store = RunStore(home)
    experiment = preset("paper/direction", Choices(seeds=(0,)), home)
    for place, step in enumerate(experiment.steps(home)):
        spec = complete(placed(step.spec), BASES["nano"])
        record = store.create(spec)
        (record.folder / "translations").mkdir()
        derails = len(spec.train) == 1 and spec.train[0].target == "en"
        scores = {"scores": {}, "base": {}}
        for number, direction in enumerate(spec.tested):
            references = sentences(12, number)
            sources = [f"Quelle {index}" for index in range(12)]
            harm = 0.9 if derails and direction.target != "en" else 0.2
            hypotheses = damaged(references, harm, random.Random(place))
            systems = {"run": hypotheses, "base": damaged(references, 0.9, random.Random(1))}
            found = score_systems(direction, sources, references, systems, ("bleu", "chrf"), home)
            lost = harm == 0.9
            rows = [
                {
                    "index": index,
                    "source": source,
                    "reference": references[index],
                    "hypothesis": systems["run"][index],
                    "base": systems["base"][index],
                    "failures": ["off-target"] if lost else [],
                    "base_failures": [],
                    "scores": {},
                }
                for index, source in enumerate(sources)
            ]
            write_lines(record.folder / "translations" / f"{direction}.jsonl", rows)
            scores["scores"][str(direction)] = found["run"].to_json()
            scores["base"][str(direction)] = found["base"].to_json()
        write_json(record.folder / "scores.json", scores)
        status = store.status(record.id).with_changes(
            state="finished", ended=1_800_000_000.0, seconds={"train": 90.0}
        )
        store.write_status(record.id, status)
    other = store.create(spec.with_changes(seed=1))
    write_json(other.folder / "status.json", {**status.to_json(), "id": other.id})
    return store


def test_the_pages_are_written_from_a_home(one_direction_each, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "docs"
    monkeypatch.setattr(sys, "argv", ["replication", "-o", str(folder)])
    assert replication.main() == 0
    said = capsys.readouterr().err
    assert "paper/size: no seed is whole" in said
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "direction.csv", "direction.md",
    ]  # fmt: skip
    page = (folder / "direction.md").read_text()
    assert "| `mtlab sweep paper/direction --seeds 1` |" in page
    assert "7, all finished; seed 0; seed 1 is not whole (1 of 7 runs)" in page
    assert "nrefs:1\\|" in page, "a signature does not end its cell"
    assert "One seed: a look, not a claim." in page
    assert "| de-en | **" in page and "Llama-2" in page
    assert "### Output in the wrong language, with English as the only target" in page
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in lines)
    index = (folder / "README.md").read_text()
    assert "Not run yet: `paper/size`, `paper/noise`, `paper/unseen`." in index
    assert f"### {OUTCOMES['shown']}" in index
    rows = (folder / "direction.csv").read_text().splitlines()
    assert len(rows) == 1 + 7 * 8 + 8 and rows[0].endswith("off_target,bleu,chrf")
    assert read_json(one_direction_each.settings.sweeps / "x.json") is None
    assert not one_direction_each.settings.sweeps.exists(), "looking writes nothing down"


def test_a_home_without_the_runs_writes_nothing(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["replication", "-o", str(tmp_path / "docs")])
    assert replication.main() == 1
    assert "paper/unseen: no seed is whole; no run" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()


def line(name, values, spread=None):
    style = {"color": "#0072B2", "dash": "dash"}
    trace = {"name": name, "x": [16, 32], "y": values, "mode": "lines+markers", "line": style}
    return {**trace, "error_y": {"array": spread, "arrayminus": spread} if spread else {}}


def test_lines_and_bars_are_drawn_and_other_figures_are_not():
    axes = {"xaxis": {"type": "log", "title": {"text": "pairs"}}, "yaxis": {"title": {"text": "B"}}}
    drawn = svg_of({"data": [line("a<b", [1.0, None], [0.5, 0.5])], "layout": axes}, 'it\'s "so"')
    root = ElementTree.fromstring(drawn)
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"16", "32", "pairs", "B", "a<b"} <= set(texts)
    bar = {"type": "bar", "name": "clean", "x": ["en-de, 32"], "y": [3.0], "marker": {"color": "x"}}
    assert "en-de, 32" in svg_of({"data": [bar], "layout": axes}, "bars")
    assert svg_of({"data": [{**bar, "orientation": "h"}], "layout": axes}, "") is None
    assert svg_of({"data": [{"type": "heatmap"}], "layout": axes}, "") is None
    assert svg_of({"data": [], "layout": {}}, "") is None


def test_a_table_holds_what_markdown_would_read_as_its_own():
    text = table(["a", "b"], [["x|y", "<img src=x>"]])
    assert text.splitlines() == ["| a | b |", "|---|---:|", "| x\\|y | &lt;img src=x> |"]
