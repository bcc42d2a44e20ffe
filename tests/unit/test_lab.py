"""The Python API without a run's process: checks, previews, handles."""

import json

import pytest

from mtlab import RunSpec
from mtlab.errors import InputError, NotAvailable
from mtlab.runs import provenance
from mtlab.runs.files import write_json, write_lines
from mtlab.runs.placing import placed


@pytest.fixture
def run(lab):
    return lab.launch(RunSpec(size=32, train=("de-en", "en-de"), metrics=("chrf",)))


def test_launching_writes_a_complete_spec_down(lab, run):
    spec = json.loads((run.folder / "spec.json").read_text())
    assert None not in (spec["training"]["steps"], spec["training"]["learning_rate"], spec["test"])
    assert run.status().state == "queued"
    assert [one.id for one in lab.runs()] == [run.id]
    assert lab.run(run.id).spec == run.spec


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"base": "no-such-model"}, "base"),
        ({"train": ("de-ja",)}, "train"),
        ({"size": 10_000_000}, "size"),
        ({"corpus": "no/such/file.tsv"}, "corpus"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_written(lab, spec, field):
    with pytest.raises(InputError) as caught:
        lab.launch(RunSpec(**{"train": ("de-en",), **spec}))
    assert caught.value.field == field and caught.value.fix
    assert lab.runs() == []


def test_a_chat_template_that_is_not_there_is_said_before_a_run_is_written(lab):
    with pytest.raises(InputError, match="'nano' has no chat template"):
        lab.launch(RunSpec(train=["de-en"], template="chat"))
    assert not lab.runs()


def test_a_base_too_large_is_refused_before_it_loads(lab, monkeypatch):
    monkeypatch.setattr("mtlab.models.fits.available_memory", lambda: (1000, "main memory"))
    with pytest.raises(NotAvailable, match="too large for this machine"):
        lab.launch(RunSpec(train=("de-en",)))
    assert lab.runs() == []


def test_the_preview_shows_the_pairs_the_run_will_train_on(lab):
    spec = RunSpec(size=32, train=("de-en", "en-de"), noise={"kind": "word", "side": "target"})
    preview = lab.preview(spec, n=4)
    assert preview.counts == {"de-en": 16, "en-de": 16}
    assert len(preview.examples) == 4
    for example in preview.examples:
        assert example.pair.noisy.source in example.prompt
    # A short sentence may come out of word noise as it was.
    assert sum(example.pair.touched == ("target",) for example in preview.examples) >= 3
    assert preview.command.startswith("mtlab run")
    assert "a rough guess" in preview.forecast and preview.seconds == preview.told.total > 5
    assert preview.memory.fits and preview.memory.sentence.startswith("Fits: about ")
    larger = lab.preview(spec.with_changes(size=64), n=4)
    assert [e.pair for e in larger.examples] == [e.pair for e in preview.examples]


def test_the_forecast_comes_from_a_run_that_finished(lab, run):
    told = lab.preview(run.spec).told
    provenance.record(run.folder, work=told.work.to_json(), peak_memory_mb=told.memory / 1e6)
    slow = {name: 4 * value for name, value in told.seconds.items()}
    status = run.status().with_changes(state="finished", seconds=slow, attempts=1)
    lab.store.write_status(run.id, status)
    again = lab.preview(run.spec)
    assert f"by run {run.id}" in again.forecast
    assert again.told.seconds["train"] > 3.5 * told.seconds["train"]


def test_relative_files_are_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("pairs.tsv", "a.de", "a.en"):
        (tmp_path / name).write_text("x")
    spec = RunSpec(corpus="pairs.tsv:de-en", test_corpus="a.de,a.en:de-en", train=("de-en",))
    spec = placed(spec)
    assert spec.corpus == f"{tmp_path}/pairs.tsv:de-en"
    assert spec.test_corpus == f"{tmp_path}/a.de,{tmp_path}/a.en:de-en"
    (tmp_path / "nano").mkdir()
    (tmp_path / "everyday").mkdir()
    same = RunSpec(train=("de-en",))
    assert placed(same) == same


def test_translations_and_scores_before_and_after_they_are_there(run):
    assert run.scores() == {} == run.base_scores()
    with pytest.raises(InputError, match="no translations for de-en"):
        run.translations("de-en")
    (run.folder / "translations").mkdir()
    rows = [{"index": 0, "source": "a", "reference": "b", "hypothesis": "c", "failures": ["copy"]}]
    write_lines(run.folder / "translations" / "de-en.jsonl", rows)
    frame = run.translations("de-en")
    assert list(frame["failures"]) == [["copy"]] and list(frame["base"]) == [None]
    write_json(run.folder / "scores.json", {"scores": {"de-en": {"chrf": {"value": 1.0}}}})
    assert run.scores() == {"de-en": {"chrf": {"value": 1.0}}}
    assert run.summary()["scores"] == run.scores() and run.summary()["id"] == run.id
    with pytest.raises(InputError, match=r"choose one of de-en"):
        run.translations("en-fr")


def test_waiting_gives_up_after_its_time(run):
    assert run.wait(timeout=0.3).state == "queued"


def test_stopping_resuming_and_deleting_a_queued_run(run):
    run.stop()
    assert run.wait(timeout=5).state == "stopped"
    run.resume()
    assert run.status().state == "queued"
    with pytest.raises(InputError, match="is queued"):
        run.resume()
    run.stop(keep=False)
    assert run.wait(timeout=5).state == "stopped"
    with pytest.raises(InputError, match="there is no run"):
        run.delete()
    assert run.log_tail() == ""


def test_scoring_gives_the_command_line_its_json(lab):
    result = lab.score(
        direction="de-en",
        sources=["Das Haus ist rot.", "Ich lese."],
        references=["The house is red.", "I am reading."],
        systems={"one": ["The house is red.", "I am reading."], "two": ["Das Haus ist rot.", ""]},
        metrics=("bleu", "chrf"),
    )
    first, second = result["systems"]
    assert first["name"] == "one" and first["scores"]["bleu"]["value"] == pytest.approx(100)
    assert first["scores"]["chrf"]["signature"]
    assert second["failures"]["empty"] == 0.5
    bleu, chrf = result["comparisons"]
    assert (bleu["baseline"], bleu["system"], bleu["metric"]) == ("one", "two", "bleu")
    assert bleu["difference"] == pytest.approx(second["scores"]["bleu"]["value"] - 100)
    assert chrf["compared"] == 2 and 0 < chrf["p_value"] <= chrf["p_corrected"] <= 1
    assert 0.5 < chrf["meaning"]["accuracy"] < 1
    json.dumps(result)


def test_translating_live_keeps_the_model_and_gives_it_back(lab, tiny_model):
    name = f"base:{tiny_model}"
    first = lab.translate(name, ["Das Haus ist rot."], "de-en")
    assert len(first) == 1
    assert len(lab.kept_models().names) == 1
    assert lab.translate(name, ["Das Haus ist rot."], "de-en") == first
    assert list(lab.stream(name, "Das Haus ist rot.", "de-en"))[-1] == first[0]
    lab.release()
    assert not lab.kept_models().names
    with pytest.raises(InputError, match="there is no run"):
        lab.translate("nonsense", ["x"], "de-en")


def test_a_run_that_saved_nothing_cannot_translate(run):
    with pytest.raises(InputError, match="has saved no model"):
        run.translate(["Hallo"], "de-en")


def test_the_preview_says_what_is_not_known_of_a_model_that_is_not_here(lab):
    spec = RunSpec(base="owner/name", train=["de-en"])
    memory = lab.preview(spec).memory
    assert memory.fits is None and "before it is fetched" in memory.sentence


def test_the_preview_refuses_a_folder_that_cannot_be_fine_tuned(lab, tmp_path):
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}')
    (tmp_path / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    with pytest.raises(InputError, match="base: .* is a BertModel and no causal language model"):
        lab.preview(RunSpec(base=str(tmp_path), train=["de-en"]))
