"""The architecture, held: who may import whom, and what costs nothing to import."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "mtlab"

# Lower layers first. A module may import from its own layer and from those below it.
LAYERS = (
    (
        "complaints",
        "errors",
        "json_text",
        "languages",
        "methods",
        "noise_kinds",
        "overlays",
        "secrecy",
        "settings",
        "weights",
        "yaml_files",
    ),
    ("spec", "presets"),
    (
        "backends",
        "batch_parts",
        "commands",
        "defaults",
        "fields",
        "halving",
        "prompts",
        "fewshot",
        "corpora",
        "noise",
        "pretraining",
        "streams",
        "experiments",
    ),
    ("models", "training", "decoding", "scoring"),
    ("forecasting", "runs", "results", "doctor"),
    ("cluster",),
    ("bench", "sharing"),
    ("backup", "executors", "handle", "lab", "plans", "spaces", "sweeps"),
    ("access",),
    ("cli", "ui"),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
HEAVY = ("torch", "transformers", "peft", "gradio", "pandas", "plotly", "datasets", "ray")


def modules():
    return [
        (path.relative_to(PACKAGE), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "mtlab":
                yield from (f"mtlab.{alias.name}" for alias in node.names)
            else:
                yield node.module


def part_of(path):
    return path.parts[0].removesuffix(".py")


def test_every_module_has_a_layer():
    parts = {part_of(path) for path, _ in modules()} - {"__init__", "__main__"}
    assert parts <= set(LEVEL), f"give a layer to {sorted(parts - set(LEVEL))}"


def test_imports_flow_downward():
    wrong = []
    for path, tree in modules():
        part = part_of(path)
        if part not in LEVEL:
            continue
        for name in imported(tree):
            other = name.split(".")[1] if name.startswith("mtlab.") else None
            if other in LEVEL and LEVEL[other] > LEVEL[part]:
                wrong.append(f"{path} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_gradio_is_imported_in_the_interface_alone():
    users = {
        part_of(path)
        for path, tree in modules()
        if any(name.split(".")[0] == "gradio" for name in imported(tree))
    }
    assert users == {"ui"}


@pytest.mark.parametrize(
    "statement",
    [
        "import mtlab",
        "import mtlab.runs.store, mtlab.runs.supervisor",
        "import mtlab.lab",
        "import mtlab.forecasting, mtlab.runs.time_left",
        "from mtlab.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
    ],
)
def test_what_must_start_fast_loads_nothing_heavy(statement):
    code = f"import sys\n{statement}\nprint('LOADED', *[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_the_page_is_there_before_anything_of_a_model_is_loaded(tmp_path):
    code = (
        "import sys, mtlab.ui.serving; from mtlab.lab import Lab; from mtlab.ui.page import build\n"
        "build(Lab())\n"
        "print('LOADED', *[m for m in ('torch', 'transformers', 'peft', 'datasets', 'matplotlib')"
        " if m in sys.modules])"
    )
    environment = {**os.environ, "MTLAB_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_the_public_names_are_these():
    import mtlab

    assert mtlab.__all__ == sorted(mtlab.__all__)
    assert all(hasattr(mtlab, name) for name in mtlab.__all__)
