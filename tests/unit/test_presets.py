from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mtlab import presets
from mtlab.defaults import recipe_for
from mtlab.errors import InputError, NotAvailable
from mtlab.presets import BASES, resolve_base
from mtlab.settings import Settings
from mtlab.spec import RunSpec


def test_the_families_of_the_readme_are_there() -> None:
    for family in (
        "nano", "llama-2-7b", "llama-3.2-1b", "llama-3.2-3b", "qwen", "gemma", "mistral",
        "eurollm", "tinyllama", "smollm", "opt", "bloom",
    ):  # fmt: skip
        assert any(name.startswith(family) for name in BASES), family
    for base in BASES.values():
        assert (base.repo is None) != (base.path is None)
        assert base.licence and base.languages and base.parameters


def test_nano_is_bundled(home: Settings) -> None:
    base = resolve_base("nano", home)
    assert base.path is not None and (base.path / "config.json").is_file()


def test_a_missing_bundled_model_says_so(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = replace(BASES["nano"], path=tmp_path / "gone")
    monkeypatch.setitem(presets.BASES, "nano", gone)
    with pytest.raises(NotAvailable, match="bundled model 'nano' is not there"):
        resolve_base("nano", home)


def test_a_hub_name_a_presets_repo_and_a_folder(home: Settings, tiny_model: Path) -> None:
    assert resolve_base("someone/some-model", home).repo == "someone/some-model"
    assert resolve_base("meta-llama/Llama-2-7b-hf", home) is BASES["llama-2-7b"]
    assert resolve_base(" NANO ", home).name == "nano"
    base = resolve_base(str(tiny_model), home)
    assert base.path == tiny_model and base.location == str(tiny_model)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nanno", r"^base: there is no base model 'nanno': did you mean 'nano'"),
        ("gpt", "there is no base model 'gpt'"),
        ("./not/there", "there is no model folder './not/there'"),
        ("/not/there", "there is no model folder"),
        ("a/b/c", "there is no model folder"),
    ],
)
def test_names_that_mean_nothing(home: Settings, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_base(name, home)


def test_a_folder_without_a_model(home: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no model"):
        resolve_base(str(tmp_path), home)


def test_a_run_is_a_base_by_what_it_has_made(home: Settings) -> None:
    def make(run: str, saved: str, **fields: object) -> Path:
        folder = home.runs / run
        (folder / saved).mkdir(parents=True)
        config = "config.json" if saved == "model" else "adapter_config.json"
        (folder / saved / config).write_text("{}")
        (folder / "spec.json").write_text(json.dumps(RunSpec(train=["de-en"], **fields).to_json()))
        return folder

    whole = make("20200101-000000-aaaa", "model")
    base = resolve_base("run:20200101-000000-aaaa", home)
    assert base.path == whole / "model" and base.adapters == ()
    assert (base.name, base.parameters) == ("run:20200101-000000-aaaa", BASES["nano"].parameters)

    first = make("20200101-000000-bbbb", "adapter", base="qwen2.5-0.5b", revision="v1")
    second = make("20200101-000000-cccc", "adapter", base="run:20200101-000000-bbbb")
    base = resolve_base("run:20200101-000000-cccc", home)
    assert base.adapters == (first / "adapter", second / "adapter")
    assert (base.repo, base.revision) == ("Qwen/Qwen2.5-0.5B", "v1")
    assert recipe_for(base) is recipe_for(BASES["qwen2.5-0.5b"])


def test_a_run_that_is_not_there_or_has_saved_nothing_is_no_base(home: Settings) -> None:
    for name in ("run:nothing", "run:", "run:../../etc"):
        with pytest.raises(InputError, match=r"^base: there is no run"):
            resolve_base(name, home)
    (home.runs / "empty").mkdir(parents=True)
    spec = RunSpec(train=["de-en"]).to_json()
    (home.runs / "empty" / "spec.json").write_text(json.dumps(spec))
    with pytest.raises(InputError, match="saved no model to go on from"):
        resolve_base("run:empty", home)


def test_a_folder_is_as_large_as_its_files_say(tiny_model, tmp_path, home):
    base = presets.resolve_base(str(tiny_model), home)
    assert base.parameters and base.parameters < 1_000_000
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"torn")
    assert presets.resolve_base(str(tmp_path), home).parameters is None
