"""From a name to a translator, without and with a model behind it."""

import json
import shutil

import pytest

from mtlab import RunSpec
from mtlab.errors import InputError, NotAvailable
from mtlab.models import facts as facts_module
from mtlab.runs.placing import placed
from mtlab.runs.resident import Resident
from mtlab.runs.translators import HubTranslator, ModelTranslator, settled, translator_for
from mtlab.spec import Direction
from tests.tiny_translation_models import nllb, opus

DE_EN, EN_DE = Direction.parse("de-en"), Direction.parse("en-de")


def spec_with(translator, **changes):
    noise = {"kind": "sentence", "translator": translator, **changes.pop("noise", {})}
    return RunSpec(**{"size": 4, "train": ("de-en",), "noise": noise, **changes})


@pytest.fixture
def finished(lab, tiny_model):
    """A run that has finished: the tiny model as what it made."""
    run = lab.launch(RunSpec(base=str(tiny_model), size=2, train=("de-en",), metrics=("chrf",)))
    shutil.copytree(tiny_model, run.folder / "model")
    lab.store.write_status(run.id, run.status().with_changes(state="finished"))
    return run


def of(lab, spec, **options):
    return translator_for(spec, lab.store, Resident(lab.settings), **options)


def test_latest_and_a_beginning_become_the_whole_id(lab, finished):
    for name in ("latest", finished.id, finished.id[:18], f" {finished.id} "):
        spec = settled(spec_with(name), lab.store)
        assert spec.noise.translator == finished.id
    for name in ("nano", "base:nano", "facebook/nllb-200-distilled-600M"):
        assert settled(spec_with(name), lab.store).noise.translator == name
    off = spec_with("latest", noise={"ratio": 0})
    assert settled(off, lab.store) == off and of(lab, off) is None


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("latest", InputError, "noise.translator: no run has finished yet"),
        ("2024", InputError, "noise.translator: there is no run '2024': give a finished run's id"),
        ("nonsense", InputError, "noise.translator: there is no run 'nonsense'"),
        ("no/such/folder", InputError, "noise.translator: there is no model folder"),
        ("facebook/nllb-200", NotAvailable, "'facebook/nllb-200' is not on this machine"),
        ("Helsinki-NLP/opus-mt-{source}-{target}", NotAvailable, "opus-mt-de-en' is not on this"),
        ("base:nonsense", InputError, "there is no base model 'nonsense'"),
    ],
)
def test_what_is_no_translator_is_said_at_launch_and_nothing_is_written(lab, name, error, says):
    for call in (lab.launch, lab.preview):
        with pytest.raises(error, match=says):
            call(spec_with(name))
    assert lab.runs() == []


def test_a_run_that_saved_nothing_is_refused_at_launch(lab, finished):
    shutil.rmtree(finished.folder / "model")
    with pytest.raises(InputError, match="noise.translator: the run '.*' has saved no model"):
        lab.launch(spec_with("latest"))


def test_the_identity_is_that_of_the_weights(lab, finished, tiny_model):
    def identity(name):
        return of(lab, spec_with(name)).identity(DE_EN)

    tuned, base = identity(finished.id), identity(f"base:{tiny_model}")
    assert identity("latest") == tuned != base
    (finished.folder / "model" / "config.json").write_text(
        (tiny_model / "config.json").read_text() + "\n"
    )
    assert identity(finished.id) != tuned


def test_a_preview_is_translated_once_and_shown(lab, finished, monkeypatch):
    spec = spec_with("latest", decoding={"strategy": "greedy"})
    first = lab.preview(spec, n=3)
    assert first.spec.noise.translator == finished.id
    assert f"--translator {finished.id}" in first.command
    assert any(example.pair.touched == ("target",) for example in first.examples)
    monkeypatch.setattr(Resident, "translate", lambda *_: pytest.fail("translated again"))
    assert [e.pair for e in lab.preview(spec, n=3).examples] == [e.pair for e in first.examples]
    run = lab.launch(spec)
    written = json.loads((run.folder / "spec.json").read_text())
    assert written["noise"]["translator"] == finished.id


def test_a_folder_with_a_translation_model(lab, home, tmp_path):
    folder = opus(tmp_path / "opus-mt-de-en")
    translator = of(lab, spec_with(str(folder)))
    assert isinstance(translator, HubTranslator)
    translator.check([DE_EN])
    with pytest.raises(InputError, match="translates de-en, and en-de is needed"):
        translator.check([DE_EN, EN_DE])
    assert len(translator.translate(["Das Haus ist rot."], DE_EN)) == 1
    identity = translator.identity(DE_EN)
    assert of(lab, spec_with(str(folder))).identity(DE_EN) == identity
    with pytest.raises(InputError, match="translator: .* translates de-en, and en-de is needed"):
        lab.launch(spec_with(str(folder), train=("en-de",)))
    translator.release()


def test_a_model_for_each_direction(lab, tmp_path):
    for name in ("de-en", "en-de"):
        opus(tmp_path / f"opus-mt-{name}", *name.split("-"))
    translator = of(lab, spec_with(str(tmp_path / "opus-mt-{source}-{target}")))
    translator.check([DE_EN, EN_DE])
    assert translator.identity(DE_EN) != translator.identity(EN_DE)
    for direction in (DE_EN, EN_DE):
        assert len(translator.translate(["Hello.", "Hallo."], direction)) == 2


def test_noise_of_a_translation_model_on_a_persons_own_texts(lab, tmp_path):
    spec = spec_with(str(nllb(tmp_path / "nllb")))
    texts = [("Das Haus ist rot.", "The house is red."), ("", "")]
    (first, second) = lab.noise(spec, texts)
    assert first.clean.target == "The house is red." and second.touched == ()


def test_a_base_model_that_is_no_translation_model_is_prompted(lab, tiny_model):
    assert isinstance(of(lab, spec_with(str(tiny_model))), ModelTranslator)
    assert isinstance(of(lab, spec_with("nano")), ModelTranslator)


def test_the_preview_fetches_nothing(lab, monkeypatch):
    """On the hub and not on this machine: the preview says so, where a launch would go on."""
    description = {"architectures": ["M2M100ForConditionalGeneration"], "model_type": "m2m_100"}
    base = facts_module._facts(
        {**description, "is_encoder_decoder": True}, None, 1, 1, has_pickled_only=False
    )
    for name in ("mtlab.runs.translators.look", "mtlab.models.seq2seq.look"):
        monkeypatch.setattr(name, lambda *_: base)
    spec = spec_with("facebook/nllb-200-distilled-600M")
    with pytest.raises(NotAvailable, match="is not on this machine yet: launch the run"):
        lab.preview(spec)
    assert lab.launch(spec).status().state == "queued"


def test_relative_files_of_noise_are_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    noise = {"kind": "word", "dictionary": "d.txt:de-en", "terms": "t.txt", "translator": "./model"}
    found = placed(RunSpec(train="de-en", noise=noise)).noise
    assert found.dictionary == f"{tmp_path}/d.txt:de-en"
    assert (found.terms, found.translator) == (f"{tmp_path}/t.txt", f"{tmp_path}/model")
    several = placed(spec_with("./opus-{source}-{target}")).noise.translator
    assert several == f"{tmp_path}/opus-{{source}}-{{target}}"
    hub = RunSpec(train="de-en", noise={"kind": "sentence", "translator": "facebook/nllb"})
    assert placed(hub) == hub
