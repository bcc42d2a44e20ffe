"""`mtlab deploy`: what it writes runs by itself as Spaces starts it, and what it pushes is that."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.browser import free_port, wait_for
from tests.hub_stand_in import HubStandIn
from tests.space_sessions import SPACE, session

SECRET = "planted-secret"
# As a Space of that size has them, beside its own.
IMAGE = {
    "GRADIO_ALLOW_FLAGGING": "never",
    "GRADIO_NUM_PORTS": "1",
    "GRADIO_SERVER_NAME": "0.0.0.0",
    "GRADIO_THEME": "huggingface",
    "PYTHONUNBUFFERED": "1",
    "CPU_CORES": "2",
    "MEMORY": "16Gi",
}
SPEC = {"size": 8, "train": ["de-en"], "test_limit": 4, "metrics": ["bleu"], "score_base": False}


def deploy(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "mtlab", "deploy", *words],
        capture_output=True, text=True, timeout=300, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deploy") / "space"
    done = deploy("owner/lab", "--output", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An interpreter with this environment's packages and without its mtlab."""
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    # Plain folders: what `.pth` files in them would add, such as the lab itself, stays away.
    packages = [path for path in sys.path if path.endswith("site-packages")]
    (place,) = folder.glob("lib/python*/site-packages")
    (place / "packages.pth").write_text("\n".join(packages))
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def environment():
    """Nothing of this process's, and what Spaces sets."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, **IMAGE, **SPACE, "HF_HUB_OFFLINE": "1"}  # but a test asks no hub


def test_the_folder_alone_runs_the_lab_and_what_it_ran_outlasts_a_restart(
    written, python, environment, tmp_path
):
    asked = [python, "-c", "import mtlab; print(mtlab.__file__)"]
    here = subprocess.run(asked, cwd=written, env=environment, capture_output=True, text=True)
    assert Path(here.stdout.strip()) == written / "mtlab" / "__init__.py"
    elsewhere = subprocess.run(asked, cwd="/", env=environment, capture_output=True, text=True)
    assert "No module named 'mtlab'" in elsewhere.stderr

    kept = tmp_path / "data"  # as a disk that is mounted
    with started(written, python, environment, kept) as (address, home):
        assert "Sign in with Hugging Face" in httpx.get(address).text
        assert "MTLAB_ALLOW" in called(address, {}, "launch", SPEC)[1]
        done, run = called(address, session("owner"), "launch", SPEC)
        assert done, run
        until(address, run, lambda status: status["state"] not in ("queued", "running"))
        done, answer = called(address, {}, "translate", "Es regnet.", "de-en", run)
        assert done and run in answer["system"]
        done, results = called(address, {}, "results", run)
        assert done and 0 <= results["scores"]["de-en"]["bleu"]["value"] <= 100
        assert (home / ".mtlab" / "runs" / run / "scores.json").is_file()
        wait_until((kept / "runs" / run).is_dir)

    # A Space that starts again has an empty home.
    with started(written, python, environment, kept) as (address, _):
        until(address, run, lambda status: status["state"] == "finished")
        assert called(address, {}, "results", run) == (True, results)


@contextmanager
def started(folder, python, environment, kept):
    """The app from its folder over an empty home."""
    port = free_port()
    home = folder.parent / f"user-{port}"
    home.mkdir()
    log = folder.parent / f"app-{port}.log"
    own = {"HOME": str(home), "GRADIO_SERVER_PORT": str(port), "MTLAB_BACKUP": str(kept)}
    with log.open("w") as output:
        app = subprocess.Popen(
            [python, "app.py"],
            cwd=folder, stdout=output, stderr=output, env={**environment, **own},
        )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, app, log)
        yield address, home
    finally:
        app.terminate()
        app.wait(30)
    # Gradio misses `spaces`, which Spaces adds, for hot reloading; that is not the lab's.
    said = log.read_text()
    assert f'File "{folder}' not in said and "mtlab: " not in said, said


def wait_until(holds):
    for _ in range(240):
        if holds():
            return
        time.sleep(0.5)
    pytest.fail("it did not happen within two minutes")


def until(address, run, holds):
    """Wait until a run's status is such, and see that it has finished."""
    last = {}

    def is_so():
        done, said = called(address, {}, "status", run)
        last["said"] = said
        return done and holds(said)

    wait_until(is_so)
    assert last["said"]["state"] == "finished", last


def called(address, headers, endpoint, *data):
    """Whether an endpoint of the API answers, and what it answers."""
    with httpx.Client(base_url=f"{address}/gradio_api/call", headers=headers, timeout=60) as client:
        event = client.post(f"/{endpoint}", json={"data": data}).json()["event_id"]
        text = client.get(f"/{endpoint}/{event}").text
    if "event: complete" not in text:
        return False, text
    return True, json.loads(text.rpartition("data: ")[2])[0]


def test_what_is_pushed_is_that_folder_and_no_secret_is_shown(written):
    with HubStandIn() as hub:
        token = hub.person("owner")
        done = deploy(
            "owner/lab", "--variable", "MTLAB_ALLOW=ann", "--secret", "KEY", "--json",
            **hub.environment(token), KEY=SECRET,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        space = hub.repo("owner/lab", "space")
    there = {
        path.relative_to(written).as_posix(): path.read_bytes()
        for path in written.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert space.files == there and not space.private
    assert space.variables == {"MTLAB_ALLOW": "ann"}
    assert space.secrets == {"KEY": SECRET}
    shown = done.stdout + done.stderr
    assert SECRET not in shown and token not in shown
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["address"] == f"{hub.address}/spaces/owner/lab"
    assert {file["path"]: file["bytes"] for file in said["files"]} == {
        path: len(data) for path, data in there.items()
    }
    assert "variable  MTLAB_ALLOW=ann" in done.stdout and "secret    KEY" in done.stdout
    assert "assets/nano/model-00001-of-00002.safetensors" in done.stdout


def test_without_a_token_it_is_shown_and_not_pushed(tmp_path):
    with HubStandIn() as hub:
        nobody = {**hub.environment(), "HF_TOKEN": "", "HF_HOME": str(tmp_path)}
        done = deploy("owner/lab", **nobody)
        assert done.returncode == 2 and hub.requests == []
    assert "mtlab: HF_TOKEN: there is no token for the hub: make one" in done.stderr
    assert "assets/everyday/" in done.stdout and "Traceback" not in done.stderr
