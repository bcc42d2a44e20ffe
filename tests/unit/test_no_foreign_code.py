"""No code of a stranger runs: no pickle is read, no model's own code is loaded."""

import ast
import pickle
import shutil
from pathlib import Path

import pytest

from mtlab.errors import InputError
from mtlab.models import inspect, load
from mtlab.models.load import load_run
from mtlab.presets import resolve_base
from mtlab.spec import RunSpec

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "app.py", *sorted((ROOT / "mtlab").rglob("*.py"))]
PICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
RUNNING = {"eval", "exec", "compile", "__import__"}


def trees():
    return [
        (path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES
    ]


def called(node):
    function = node.func
    if isinstance(function, ast.Attribute):
        value = function.value
        return f"{value.id if isinstance(value, ast.Name) else ''}.{function.attr}"
    return function.id if isinstance(function, ast.Name) else ""


def faults(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.split(".")[0] in PICKLING)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PICKLING:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            name = called(node)
            given = {word.arg: word.value for word in node.keywords}
            if name in RUNNING or name in ("os.system", "os.popen", "yaml.load"):
                yield name
            if (
                name == "torch.load"
                and getattr(given.get("weights_only"), "value", None) is not True
            ):
                yield name  # it would read a pickle
            for flag, wanted in (("trust_remote_code", False), ("shell", False),
                                 ("allow_pickle", False), ("use_safetensors", True)):  # fmt: skip
                value = given.get(flag)
                if value is not None and getattr(value, "value", None) is not wanted:
                    yield f"{flag}="
            if name.endswith(".from_pretrained") and "Model" in name and "Peft" not in name:
                if "use_safetensors" not in given or "trust_remote_code" not in given:
                    yield name


def test_the_source_reads_no_pickle_and_runs_no_text():
    found = [f"{path}: {fault}" for path, tree in trees() for fault in faults(tree)]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "from joblib import load", "torch.load(x)", "eval(x)", "yaml.load(x)",
        "AutoModel.from_pretrained(x)", "f(trust_remote_code=True)", "f(trust_remote_code=x)",
        "subprocess.run(x, shell=True)", "np.load(x, allow_pickle=True)",
        "AutoModel.from_pretrained(x, use_safetensors=None, trust_remote_code=False)",
    ],
)  # fmt: skip
def test_the_search_finds_what_it_seeks(code):
    assert list(faults(ast.parse(code)))


class Trap:
    """Unpickled, it leaves a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def trap(tmp_path):
    mark = tmp_path / "it ran"
    data = pickle.dumps(Trap(mark))
    pickle.loads(data)
    assert mark.exists(), "the trap works"
    mark.unlink()
    yield data
    assert not mark.exists()


def test_a_pickled_checkpoint_is_refused(tmp_path, tiny_model, home, trap):
    folder = shutil.copytree(tiny_model, tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(trap)
    base = resolve_base(str(folder), home)
    for look in (lambda: inspect(base, home), lambda: load(base, settings=home)):
        with pytest.raises(InputError, match="pickled weights only, which can run code"):
            look()


def test_a_pickled_adapter_is_refused(tmp_path, tiny_model, home, trap):
    run = tmp_path / "20260101-000000-abcd"
    (run / "adapter").mkdir(parents=True)
    (run / "adapter" / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (run / "adapter" / "adapter_model.bin").write_bytes(trap)
    with pytest.raises(InputError, match="has no safetensors file, and nothing else is loaded"):
        load_run(run, RunSpec(base=str(tiny_model), train=("de-en",)), home)


def test_a_models_own_code_is_not_run(tmp_path, tiny_model, home):
    import json

    folder = shutil.copytree(tiny_model, tmp_path / "own-code")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoModelForCausalLM": "mine.Mine",
                                                  "AutoConfig": "mine.Config"}}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'it ran')!r}, 'w')")
    with pytest.raises(InputError):
        load(resolve_base(str(folder), home), settings=home)
    assert not (tmp_path / "it ran").exists()
