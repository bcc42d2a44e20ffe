"""Merging and pushing a real adapter of nano, and loading back what was pushed."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard, snapshot_download

from mtlab.cli import main
from mtlab.errors import InputError, NotAvailable
from mtlab.lab import Lab, Run
from mtlab.models import load
from mtlab.presets import Base, resolve_base
from mtlab.runs.store import RunStore
from mtlab.settings import ASSETS, Settings
from mtlab.sharing.packing import weights_of
from mtlab.spec import Direction
from tests.shared_runs import SOURCES, full_run

NANO = ASSETS / "nano"
DIRECTION = Direction.parse("de-en")


def said_by(folder: Path, spec) -> list[str]:
    """What a folder translates that transformers loads."""
    from mtlab.decoding import translate
    from mtlab.prompts import Template

    settings = Settings.from_environment()
    loaded = load(Base("back", "back", path=folder), precision="fp32", settings=settings)
    template = Template.from_spec(spec, loaded.tokenizer)
    found = translate(loaded, SOURCES, DIRECTION, spec.decoding, template)
    return [one.text for one in found]


@pytest.fixture(scope="module")
def expected(run) -> list[str]:
    """What the run itself translates: base with the adapter beside it."""
    said = [one.text for one in run.translate(SOURCES, DIRECTION)]
    assert len(set(said)) == len(said)  # it says something
    return said


@pytest.fixture
def pushing(hub, lab_home, run, monkeypatch):
    """The run in a process that may push as ann."""
    token = hub.person("ann")
    hub.patch(monkeypatch, token)
    monkeypatch.setenv("MTLAB_HOME", str(lab_home.home))
    yield run
    for body in hub.sent:
        assert token.encode() not in body


def back_from(hub, name: str, folder: Path) -> Path:
    """A pushed repository as anybody downloads it."""
    return Path(snapshot_download(name, cache_dir=folder / "cache"))


def test_a_merged_run_translates_as_base_and_adapter(run, expected, tmp_path):
    folder = run.merge(tmp_path / "merged")
    assert said_by(folder, run.spec) == expected
    assert not (folder / "adapter_config.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["merged"]
    untuned = [one.text for one in Lab(run._lab.settings).translate("nano", SOURCES, DIRECTION)]
    assert untuned != expected


def test_a_merge_that_translates_otherwise_leaves_nothing(run, tmp_path, monkeypatch):
    def without_the_adapter(folder, spec, settings, *, precision):
        return load(resolve_base("nano", settings), precision=precision, settings=settings)

    monkeypatch.setattr("mtlab.models.load_run", without_the_adapter)
    with pytest.raises(NotAvailable, match="do not translate as base and adapter do"):
        run.merge(tmp_path / "merged")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def full(lab_home):
    """A run of full fine-tuning, for one test."""
    store = RunStore(lab_home)
    made = Run(Lab(lab_home), full_run(store))
    yield made
    store.delete(made.id)


def test_a_model_of_full_fine_tuning_is_shared_whole(full, tmp_path):
    made = full.share("ann/full", to=tmp_path / "full")
    assert made.package.weights == "model" and made.address is None
    for path in NANO.glob("*.safetensors"):
        written = tmp_path / "full" / path.name
        assert written.read_bytes() == path.read_bytes() and written.stat().st_nlink == 1
    card = ModelCard.load(tmp_path / "full" / "README.md")
    assert card.data.library_name == "transformers" and "PeftModel" not in card.text


def test_what_cannot_be_merged_or_pushed(run, full, lab_home, tmp_path):
    store = RunStore(lab_home)
    with pytest.raises(InputError, match="was fine-tuned in full and has nothing to merge"):
        full.merge(tmp_path / "merged")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    with pytest.raises(InputError, match="is there already"):
        run.merge(tmp_path / "there")
    store.write_status(full.id, store.status(full.id).with_changes(state="stopped"))
    with pytest.raises(InputError, match=r"has not finished \(stopped\): resume it"):
        full.share("ann/full", to=None)


@pytest.mark.parametrize("what", ["run", "folder"])
def test_an_adapter_whose_base_nobody_else_has_is_not_pushed_alone(run, lab_home, tmp_path, what):
    record = RunStore(lab_home).get(run.id)
    assert weights_of(record, "own", lab_home) == "adapter"
    base = f"run:{run.id}" if what == "run" else str(shutil.copytree(NANO, tmp_path / "own"))
    record = replace(record, spec=record.spec.with_changes(base=base))
    assert weights_of(record, "merged", lab_home) == "merged"
    with pytest.raises(InputError, match=f"its base is a {what}|what {what}") as caught:
        weights_of(record, "own", lab_home)
    assert caught.value.field == "--merged"


def test_a_pushed_adapter_loads_back_as_its_card_says(hub, pushing, expected, tmp_path):
    pushing.share("ann/everyday")
    made = pushing.share("ann/everyday")  # the same run again
    assert made.address == f"{hub.address}/ann/everyday"
    folder = back_from(hub, "ann/everyday", tmp_path)
    adapter = "adapter_model.safetensors"
    assert (folder / adapter).read_bytes() == (pushing.folder / "adapter" / adapter).read_bytes()
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files - {".gitattributes"} == {path for path, _ in made.package.files}
    for here in (str(pushing._lab.settings.home.parent), str(ASSETS.parent)):
        assert not [path for path in files if here.encode() in (folder / path).read_bytes()]

    card = ModelCard.load(folder / "README.md")
    (code,) = re.findall(r"```python\n(.*?)```", card.text, flags=re.DOTALL)
    code = re.sub(r"^source = .*$", f"source = {SOURCES[0]!r}", code, flags=re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **hub.environment(), "HF_HOME": str(tmp_path / "hf")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == expected[0]


def test_a_pushed_model_loads_back_equal(hub, pushing, expected, tmp_path, capsys):
    words = ["push", pushing.id, "ann/whole", "--merged", "--private", "--json"]
    assert main(words) == 0
    out = capsys.readouterr().out
    told = json.loads(out.splitlines()[-1])
    assert told["address"] == f"{hub.address}/ann/whole" and told["weights"] == "merged"
    assert hub.repo("ann/whole").private
    shown = [line.split()[0] for line in out.splitlines()]
    assert {"README.md", "model.safetensors", "tokenizer.json"} <= set(shown)
    assert said_by(back_from(hub, "ann/whole", tmp_path), pushing.spec) == expected


def test_a_dry_run_shows_and_asks_nobody(hub, pushing, tmp_path, capsys):
    assert main(["push", pushing.id, "ann/dry", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "adapter_model.safetensors" in out and "nothing was pushed" in out
    folder = tmp_path / "written"
    assert main(["push", "latest", "ann/dry", "--output", str(folder)]) == 0
    assert (folder / "README.md").is_file()
    assert main(["push", pushing.id, "ann/dry", "--output", str(folder)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert hub.requests == []
    assert list((pushing._lab.settings.cache).glob("push-*")) == []


def test_one_sentence_for_a_run_that_is_not_there(pushing, hub, capsys):
    assert main(["push", "20200101-000000-0000", "ann/x"]) == 2
    assert "there is no run '20200101-000000-0000'" in capsys.readouterr().err
    assert hub.requests == []


def test_a_push_that_breaks_off_is_one_sentence(hub, pushing, capsys):
    hub.refusals["/commit/"] = (413, "too large")
    assert main(["push", pushing.id, "ann/broken"]) == 1
    error = capsys.readouterr().err
    assert "mtlab: the hub refuses 'ann/broken' (too large)" in error and "Traceback" not in error
