"""What the README shows works: its commands, its Python, its tree, its front matter."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands():
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if "mtlab " in line]


@pytest.fixture(scope="module")
def environment(tmp_path_factory, kept_answers):
    """An empty home, and `mtlab` on the path as an activated environment has it."""
    home = tmp_path_factory.mktemp("readme") / "home"
    programs = Path(sys.executable).parent
    yield {
        **os.environ,
        "MTLAB_HOME": str(home),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }
    kept_answers.give(home)


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_runs(command, environment, tmp_path):
    done = subprocess.run(
        ["sh", "-c", command], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_the_python_of_the_readme_runs(environment, tmp_path):
    code, _ = blocks("python")  # the other asks a served lab: test_api.py
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "bleu" in done.stdout


def test_the_commands_shown_for_other_machines_are_valid_specs():
    from mtlab.cli.parser import build_parser
    from mtlab.cli.verbs import _spec_from

    shown = [block for block in blocks("text") if block.startswith("mtlab run")]
    assert shown
    for line in "".join(shown).replace("\\\n", " ").splitlines():
        words = shlex.split(line)
        assert _spec_from(build_parser().parse_args(words[1:])).size > 0


def test_the_sweep_file_shown_is_a_grid_of_runs(tmp_path):
    from mtlab.experiments import Experiment

    (text,) = blocks("yaml")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    assert len(Experiment.from_yaml(tmp_path / "mine.yaml").specs()) == 2 * 2 * 2 * 3


def test_the_sweeps_shown_can_be_asked_for(environment, tmp_path):
    shown = [line for block in blocks("text") for line in block.splitlines() if "sweep" in line]
    words = [shlex.split(line) for line in shown if line.startswith("mtlab sweep paper")]
    assert words
    from mtlab.cli.parser import build_parser
    from mtlab.experiments import PRESETS

    for _, *rest in words:
        assert build_parser().parse_args(rest).experiment in PRESETS


def test_the_two_commands_are_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", "\n".join(blocks("sh")), flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


def test_the_tree_names_what_is_there():
    (tree,) = [block for block in blocks("text") if block.startswith("app.py")]
    folders = [""]
    for line in tree.splitlines():
        indent = (len(line) - len(line.lstrip())) // 2
        folders = folders[: indent + 1]
        for name in re.split(r",\s*", re.split(r"\s{2,}", line.strip())[0]):
            path = f"{folders[-1]}{name}"
            assert (ROOT / path).exists(), f"the README's tree names {path}"
        folders.append(path if path.endswith("/") else f"{path}/")


def test_the_front_matter_is_what_spaces_reads():
    front = yaml.safe_load(README.split("---")[1])
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert front["sdk"] == "gradio"
    assert f"gradio=={front['sdk_version']}" in requirements
    assert (ROOT / front["app_file"]).is_file()
    assert (3, 11) <= tuple(map(int, front["python_version"].split(".")))


def test_pictures_of_the_readme_are_there():
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)
