"""What a Space is made of."""

import re

import pytest
import yaml

from mtlab.errors import InputError, NotAvailable
from mtlab.spaces import Hardware, SpaceFile, assemble, write
from mtlab.spaces.assembling import LARGEST_IN_GIT, ROOT

CPU, GPU = Hardware.named("cpu-basic"), Hardware.named("a10g-small")


def by_path(files):
    return {file.path: file for file in files}


@pytest.fixture(scope="module")
def space():
    return by_path(assemble(CPU))


@pytest.fixture
def small(tmp_path):
    """A copy of a lab with little in it."""
    for name, text in {
        "LICENSE": "l",
        "app.py": "a",
        "README.md": "---\ntitle: x\n---\n# x\n",
        "requirements.txt": "# all\ntorch==2.1.0\nnumpy==1.0\n",
        "assets/a.css": "css",
        "mtlab/__init__.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_what_the_lab_runs_on_is_there_and_nothing_else(space):
    assert {"app.py", "LICENSE", "README.md", "requirements.txt", "mtlab/__init__.py"} <= set(space)
    assert {"assets/nano/config.json", "mtlab/results/report.html.jinja"} <= set(space)
    assert {path.partition("/")[0] for path in space} == {
        ".gitattributes", "LICENSE", "README.md", "app.py", "assets", "mtlab", "requirements.txt",
    }  # fmt: skip
    for path, file in space.items():
        if path not in (".gitattributes", "README.md", "requirements.txt"):
            assert file.content == ROOT / path


def test_caches_hidden_files_and_leftovers_stay_here(small):
    (small / "mtlab" / "__pycache__").mkdir()
    for name in ("mtlab/.env", "mtlab/__pycache__/x.pyc", "mtlab/y.pyc", "mtlab/z.py~", "notes"):
        (small / name).write_text("x")
    assert [file.path for file in assemble(CPU, root=small)] == [
        ".gitattributes", "LICENSE", "README.md", "app.py", "assets/a.css", "mtlab/__init__.py",
        "requirements.txt",
    ]  # fmt: skip


def test_weights_and_what_is_too_large_for_git_go_to_the_large_file_storage(space, small):
    large = [path for path, file in space.items() if file.is_lfs]
    assert large and all(path.endswith(".safetensors") for path in large)
    (small / "assets" / "big.tsv").write_bytes(b"x" * (LARGEST_IN_GIT + 1))
    (small / "assets" / "fits.tsv").write_bytes(b"x" * LARGEST_IN_GIT)
    files = by_path(assemble(CPU, root=small))
    assert [path for path, file in files.items() if file.is_lfs] == ["assets/big.tsv"]
    lines = files[".gitattributes"].read().decode().splitlines()
    assert lines == [
        "*.safetensors filter=lfs diff=lfs merge=lfs -text",
        "assets/big.tsv filter=lfs diff=lfs merge=lfs -text",
    ]


def test_a_cpu_has_the_torch_without_cuda(space):
    ours = (ROOT / "requirements.txt").read_text().splitlines()
    theirs = space["requirements.txt"].read().decode().splitlines()
    (torch,) = [line for line in ours if line.startswith("torch==")]
    assert [line for line in theirs if line not in ours] == [
        "--extra-index-url https://download.pytorch.org/whl/cpu",
        f"{torch}+cpu",
    ]
    assert [line for line in ours if line not in theirs] == [torch]
    gpu = by_path(assemble(GPU))["requirements.txt"].read().decode()
    assert gpu.splitlines() == ours


def test_requirements_that_pin_no_torch_are_refused():
    with pytest.raises(InputError, match=r"requirements\.txt: torch is not pinned"):
        CPU.requirements("torch>=2\n")


def test_the_front_matter_is_the_labs_for_that_hardware(space):
    ours = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    for hardware, preload in ((CPU, ()), (GPU, ("Qwen/Qwen2.5-0.5B",))):
        text = by_path(assemble(hardware, preload))["README.md"].read().decode()
        front = yaml.safe_load(text.split("---\n")[1])
        wanted = {**ours, "suggested_hardware": hardware.name}
        if preload:
            wanted["preload_from_hub"] = ["Qwen/Qwen2.5-0.5B"]
        assert front == wanted and front["python_version"] == "3.11"


def test_the_readme_leads_nowhere_that_is_not_there(space):
    text = space["README.md"].read().decode()
    assert "# mtlab" in text and "## Honest limits" in text and "@inproceedings" in text
    assert "make app" not in text
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert links and all(link.startswith("https://") for link in links)


def test_half_a_copy_of_the_lab_makes_no_space(small):
    (small / "app.py").unlink()
    with pytest.raises(NotAvailable, match="'app.py' is not there.*clone of the whole repository"):
        assemble(CPU, root=small)


def test_a_folder_is_written_and_never_over_something(tmp_path):
    files = (SpaceFile("a/b.txt", b"1"), SpaceFile("c.txt", b"2"))
    write(files, tmp_path / "new")
    assert (tmp_path / "new/a/b.txt").read_bytes() == b"1"
    with pytest.raises(InputError, match="output: .* is not an empty folder"):
        write(files, tmp_path / "new")
    with pytest.raises(InputError, match="output: .* cannot be written .*Not a directory"):
        write(files, tmp_path / "new" / "c.txt" / "d")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("t4-smal", "did you mean 't4-small'"),
        ("toaster", "Spaces has no hardware 'toaster': use cpu-basic, cpu-upgrade, zero-a10g"),
    ],
)
def test_hardware_that_cannot_be_had_is_said(name, says):
    with pytest.raises(InputError, match=f"hardware: .*{says}"):
        Hardware.named(name)


def test_a_lent_gpu_needs_the_package_that_lends_it():
    zero = Hardware.named("zero-a10g")
    assert zero.requirements("torch==2.1\ngradio==6\n") == "torch==2.1\ngradio==6\nspaces>=0.40\n"
    assert zero.is_lent and zero.is_free and not Hardware.named("t4-small").is_lent
