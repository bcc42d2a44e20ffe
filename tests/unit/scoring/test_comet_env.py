"""How COMET's environment is found, built and refused; pip is kept off the network."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from mtlab.errors import NotAvailable
from mtlab.scoring import comet_env
from mtlab.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A place for an environment that needs nothing, so that it is built in a moment."""
    nothing = tmp_path / "requirements.txt"
    nothing.write_text("# nothing\n")
    monkeypatch.setattr(comet_env, "REQUIREMENTS", nothing)
    monkeypatch.setattr(
        comet_env, "PROOF", "import importlib.util as u; assert u.find_spec('torch')"
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return replace(
        Settings.from_environment({"MTLAB_HOME": str(tmp_path)}), comet_env=tmp_path / "env"
    )


def test_it_is_built_once_and_shares_torch(settings: Settings) -> None:
    assert comet_env.find_env(settings) is None
    seen: list[tuple[float, str]] = []
    python = comet_env.ensure_env(settings, lambda share, text: seen.append((share, text)))
    assert comet_env.find_env(settings) == python
    assert [share for share, _ in seen] == sorted(share for share, _ in seen)
    assert seen[-1] == (1.0, "the COMET environment is ready")
    seen.clear()
    assert comet_env.ensure_env(settings, lambda share, text: seen.append((share, text))) == python
    assert not seen
    where = "import sys, importlib.util as u; print(sys.prefix); print(u.find_spec('torch').origin)"
    prefix, torch = subprocess.check_output(
        [str(python), "-I", "-c", where], encoding="utf-8"
    ).splitlines()
    assert prefix == str(settings.comet_env)
    assert prefix not in torch


def test_several_at_once_build_it_once(settings: Settings) -> None:
    built: list[str] = []
    threads = [
        threading.Thread(
            target=comet_env.ensure_env,
            args=(settings, lambda share, text: built.append(text)),
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built.count("making an environment for COMET") == 1
    assert comet_env.find_env(settings)


def test_a_build_that_fails_says_why_and_keeps_pips_words(settings: Settings) -> None:
    comet_env.REQUIREMENTS.write_text("no-such-package-of-mtlab==1.0\n")
    with pytest.raises(NotAvailable) as refused:
        comet_env.ensure_env(settings)
    log = settings.comet_env / "mtlab-comet.log"
    assert "no-such-package-of-mtlab" in str(refused.value.why)
    assert str(log) in str(refused.value.fix)
    assert "ERROR" in log.read_text(encoding="utf-8")
    assert comet_env.find_env(settings) is None
    comet_env.REQUIREMENTS.write_text("# nothing\n")
    assert comet_env.ensure_env(settings).exists()


def test_a_build_cut_short_is_done_again(settings: Settings) -> None:
    python = comet_env.ensure_env(settings)
    (settings.comet_env / "mtlab-comet.json").unlink()
    (settings.comet_env / "left over").touch()
    assert comet_env.find_env(settings) is None
    assert comet_env.ensure_env(settings) == python
    assert not (settings.comet_env / "left over").exists()


def test_other_requirements_mean_another_build(settings: Settings) -> None:
    comet_env.ensure_env(settings)
    comet_env.REQUIREMENTS.write_text("# nothing, but otherwise\n")
    assert comet_env.find_env(settings) is None


def test_a_folder_with_something_else_is_left_alone(settings: Settings) -> None:
    settings.comet_env.mkdir()
    (settings.comet_env / "thesis.tex").touch()
    with pytest.raises(NotAvailable, match="something else lies"):
        comet_env.ensure_env(settings)
    assert (settings.comet_env / "thesis.tex").exists()


def test_a_place_that_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotAvailable, match="cannot be written"):
        comet_env.ensure_env(replace(settings, comet_env=tmp_path / "file" / "env"))


def test_too_little_space(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comet_env, "FREE_BYTES", 10**18)
    with pytest.raises(NotAvailable, match="GB are free"):
        comet_env.ensure_env(settings)


def test_a_named_interpreter_is_used_as_it_is(settings: Settings, tmp_path: Path) -> None:
    named = replace(settings, comet_python=Path(sys.executable))
    assert comet_env.ensure_env(named) == Path(sys.executable)
    with pytest.raises(NotAvailable, match="MTLAB_COMET_PYTHON"):
        comet_env.ensure_env(replace(settings, comet_python=tmp_path / "python"))


def test_the_command_says_where_it_is_and_exits_by_outcome(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MTLAB_COMET_ENV", str(settings.comet_env))
    monkeypatch.delenv("MTLAB_COMET_PYTHON", raising=False)
    assert comet_env.main() == 0
    assert capsys.readouterr().out.endswith(f"COMET: {comet_env.find_env(settings)}\n")
    monkeypatch.setenv("MTLAB_COMET_PYTHON", str(settings.comet_env / "nowhere"))
    assert comet_env.main() == 1
    assert "MTLAB_COMET_PYTHON" in capsys.readouterr().err
