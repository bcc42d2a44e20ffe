"""Reports: one computation, several renderings, none of which runs what a corpus says."""

import csv
import io
import json
import os
import subprocess
import zipfile

import pytest

from mtlab import cli
from mtlab.defaults import complete
from mtlab.errors import InputError
from mtlab.presets import BASES
from mtlab.results.bundle import rerun_script, write_bundle
from mtlab.results.report import make_report
from mtlab.runs.files import write_json, write_lines
from mtlab.runs.store import RunStore
from mtlab.scoring import score_systems
from mtlab.spec import RunSpec
from tests.browser import chromium

HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
REFERENCES = [
    "The old ferry leaves before noon.",
    "Nobody on the island knows why.",
    "Our neighbour bakes bread on Sundays.",
    "The rain falls over seven green hills.",
]
WRONG = ["Die Fähre fährt vor Mittag ab.", "Das weiß hier wirklich niemand."]


@pytest.fixture
def store(home):
    return RunStore(home)


@pytest.fixture
def browser_page():
    with chromium() as browser:
        yield browser.new_page()


@pytest.fixture
def made(store, home):
    """Make a finished run whose first `right` of four hypotheses are the references."""

    def make(right, **fields):
        spec = complete(RunSpec(**{"train": ["de-en"], **fields}), BASES["nano"])
        record = store.create(spec)
        (record.folder / "translations").mkdir()
        scores = {"scores": {}, "base": {}}
        for direction in spec.tested:
            sources = [f"Quelle {HOSTILE}", "Zwei.", "Drei.", "Vier."]
            systems = {
                "run": [*REFERENCES[:right], *(WRONG * 2)[: 4 - right]],
                "base": ["something else"] * 4,
            }
            found = score_systems(direction, sources, REFERENCES, systems, ("bleu", "chrf"), home)
            rows = [
                {
                    "index": index,
                    "source": source,
                    "reference": reference,
                    "hypothesis": systems["run"][index],
                    "base": HOSTILE,
                    "failures": list(found["run"].flags[index]),
                    "base_failures": [],
                    "scores": {},
                }
                for index, (source, reference) in enumerate(zip(sources, REFERENCES, strict=True))
            ]
            write_lines(record.folder / "translations" / f"{direction}.jsonl", rows)
            scores["scores"][str(direction)] = found["run"].to_json()
            scores["base"][str(direction)] = found["base"].to_json()
        write_json(record.folder / "scores.json", scores)
        return record

    return make


def test_every_rendering_says_the_same(made, home):
    records = [made(2, size=16), made(4, size=256)]
    report = make_report(records, home)
    value = report.frame.set_index(["id", "system", "metric"])["value"]
    best = value[records[1].id, "run", "bleu"]
    assert best == pytest.approx(100)
    rows = list(csv.DictReader(io.StringIO(report.csv())))
    assert (
        float(next(r for r in rows if r["size"] == "256" and r["metric"] == "bleu")["value"])
        == best
    )
    data = json.loads(report.json())
    assert {row["signature"] for row in data["scores"] if row["metric"] == "bleu"} == set(
        report.signatures
    )
    assert [one["sentence"] for one in data["findings"]] == [f.sentence for f in report.findings]
    assert "100.0" in report.latex() and r"\toprule" in report.latex()
    page = report.html()
    assert "100.0" in page and "Going from 16 to 256 pairs" in page
    assert all(record.id in page for record in records)


def test_conditions_that_differ_in_anything_are_told_apart(made, home):
    specs = [{"size": size, "reverse": share} for size in (16, 64) for share in (0, 0.5)]
    specs += [{"size": 16, "training": {"steps": steps}} for steps in (3, 5)]
    specs += [{"size": 16, "noise": {"kind": "word", "ratio": ratio}} for ratio in (0.5, 1)]
    report = make_report([made(2, **fields) for fields in specs], home)
    figures = {plot.name: plot.figure["data"] for plot in report.plots}
    lines = {line["name"]: line["x"] for line in figures["size"]}
    assert len(lines) == len(figures["size"])
    assert all(len(set(sizes)) == len(sizes) for sizes in lines.values())
    bars = figures["failures"][0]["y"]
    assert len(set(bars)) == len(bars) == len(specs)
    assert all(len(set(part["x"])) == len(part["x"]) for part in figures["noise"])
    rows = [line for line in report.latex().splitlines() if "pairs" in line]
    assert len(rows) == len(specs)
    assert any("3 steps" in row for row in rows) and any("50\\% reversed" in row for row in rows)


def test_seeds_that_two_sweeps_made_between_them_are_one_condition(made, home):
    runs = [made(2 + seed, seed=seed, group=group) for seed, group in enumerate(("one", "other"))]
    report = make_report(runs, home)
    bleu = report.means[(report.means["system"] == "run") & (report.means["metric"] == "bleu")]
    assert bleu["seeds"].tolist() == [2]
    assert set(report.frame["group"]) == {"one", "other"}


def test_clean_runs_are_one_condition_whatever_side_noise_would_have_had(made, home):
    runs = [made(2, size=16, noise={"side": side}) for side in ("source", "target")]
    report = make_report(runs, home)
    assert set(report.frame["side"]) == {""}
    assert len(report.means[report.means["system"] == "run"]) == len(set(report.frame["metric"]))


def test_the_page_needs_no_network_and_runs_nothing_it_was_given(
    made, home, browser_page, tmp_path
):
    path = tmp_path / "report.html"
    path.write_text(make_report([made(3)], home, title=HOSTILE).html(), encoding="utf-8")
    asked, alerts, errors = [], [], []
    browser_page.on("request", lambda request: asked.append(request.url))
    browser_page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    browser_page.on("pageerror", lambda error: errors.append(str(error)))
    browser_page.goto(path.as_uri())
    browser_page.locator(".figure .main-svg").first.wait_for()
    assert browser_page.get_by_text(HOSTILE).count() > 1
    assert not alerts and not errors
    assert all(url.startswith("file:") for url in asked)


def test_what_cannot_be_reported_is_said(store, made, home):
    waiting = store.create(made(3).spec)
    with pytest.raises(InputError, match="none of these runs has scores"):
        make_report([waiting], home)
    with pytest.raises(InputError, match="none of these runs has COMET"):
        make_report([made(3)], home, metric="comet")
    with pytest.raises(InputError, match="'ter' is not a metric"):
        make_report([made(3)], home, metric="ter")


def test_a_bundle_holds_what_reruns_it(made, home, tmp_path):
    record = made(3, noise={"kind": "word", "side": "source"}, name="it's mine")
    write_bundle(make_report([record], home), tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as bundle:
        names = set(bundle.namelist())
        bundle.extractall(tmp_path / "b")
    folder = f"runs/{record.id}"
    assert {"report.html", "scores.csv", "report.json", "table.tex", "rerun.sh"} <= names
    assert f"{folder}/translations/de-en.jsonl" in names
    assert RunSpec.from_yaml(tmp_path / "b" / folder / "spec.yaml") == record.spec
    assert f"mtlab run {folder}/spec.yaml" in (tmp_path / "b" / "rerun.sh").read_text()


def test_a_rerun_names_the_new_ids_of_the_runs_it_needs(made, tmp_path):
    first = made(2)
    noise = {"kind": "sentence", "translator": first.id}
    second, third = made(2, base=f"run:{first.id}"), made(2, noise=noise)
    script = rerun_script([first, second, third])
    for record in (first, second, third):
        (tmp_path / "runs" / record.id).mkdir(parents=True)
    (tmp_path / "rerun.sh").write_text(script)
    (tmp_path / "mtlab").write_text(
        """#!/bin/sh\necho "$@" >>said\necho table\necho '{"id": "new", "state": "finished"}'\n"""
    )
    (tmp_path / "mtlab").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(["sh", "rerun.sh"], cwd=tmp_path, env={"PATH": path}, check=True)
    assert (tmp_path / "said").read_text().splitlines() == [
        f"run runs/{first.id}/spec.yaml --json",
        f"run runs/{second.id}/spec.yaml --base run:new",
        f"run runs/{third.id}/spec.yaml --translator run:new",
    ]
    assert "mtlab" not in rerun_script([second])
    assert f"{second.id} needs run {first.id}" in rerun_script([second])


@pytest.mark.parametrize("ending", [".html", ".csv", ".json", ".tex", ".zip"])
def test_on_the_command_line_the_ending_says_what_to_write(made, ending, tmp_path, capsys):
    record = made(3, group="mine")
    path = tmp_path / f"out{ending}"
    assert cli.main(["report", "--group", "mine", "-o", str(path), "--json"]) == 0
    assert path.stat().st_size > 100
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["runs"] == [record.id] and said["file"] == str(path)


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["-o", "x.html"], "no run is named"),
        (["--group", "none", "-o", "x.html"], "there is no group 'none'"),
        (["nobody", "-o", "x.html"], "there is no run"),
        (["nobody", "-o", "x.docx"], "no ending that says what to write"),
    ],
)
def test_bad_input_is_one_sentence(home, words, sentence, capsys):
    assert cli.main(["report", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_the_paper_stands_behind_the_plots_that_it_has_too(made, home):
    specs = [{"size": size, "train": train} for size in (16, 64)
             for train in (("de-en",), ("de-en", "en-de"))]  # fmt: skip
    page = make_report(
        [made(2, **fields, test=["de-en", "en-de"]) for fields in specs], home
    ).html()
    titles = [line for line in page.splitlines() if line.startswith("<h2>")]
    assert titles[1:5] == [
        "<h2>Quality against training size</h2>", "<h2>The paper&#39;s curve</h2>",
        "<h2>Trained on, tested on</h2>", "<h2>The paper&#39;s transfer</h2>",
    ]  # fmt: skip
    assert page.count("arXiv 2404.14122") == 2
