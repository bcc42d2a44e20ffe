"""Tokens planted in the lab's environment and in errors: found in nothing that a run leaves."""

import json
import zipfile

import pytest

from mtlab.cli import main
from mtlab.results.bundle import write_bundle
from tests.real_runs import PATIENCE

TOKEN = "hf_" + "pLaNtEd" * 4
SECRETS = {"HF_TOKEN": TOKEN, "OAUTH_CLIENT_SECRET": "planted-secret-of-the-app"}

TELL = """
import json, os
from pathlib import Path
planted = [name for name, value in os.environ.items() if "planted" in value.lower()]
Path(sys.argv[1], "told.json").write_text(json.dumps(planted))
"""
FAIL = """
from mtlab.runs import pipeline
def run(self):
    address = "https://user:planted-password@hub.example/x?token=TOKEN"
    print("about to ask", flush=True)
    raise RuntimeError(f"401 Client Error for {address}")
pipeline.Pipeline.run = run
""".replace("TOKEN", TOKEN)


@pytest.fixture
def planted(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def search(folder):
    """Every file with something planted in it."""
    secrets = [value.encode() for value in (*SECRETS.values(), "planted-password")]
    return [
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and any(secret in path.read_bytes() for secret in secrets)
    ]


def test_a_run_is_given_no_token_it_does_not_need_and_writes_none(
    planted, lab, spec, jobs_do_first, tmp_path, monkeypatch
):
    jobs_do_first(TELL)
    run = lab.launch(spec(score_base=False, probe_size=0, training={"steps": 2}))
    assert run.wait(PATIENCE).state == "finished", run.log_tail()
    assert json.loads((run.folder / "told.json").read_text()) == []
    outside = tmp_path / "outside"
    outside.mkdir()
    report = lab.report([run.id])
    write_bundle(report, outside / "bundle.zip")
    (outside / "report.html").write_text(report.html())
    monkeypatch.chdir(outside)
    assert main(["runs", "export", run.id]) == 0
    for archive in outside.glob("*.zip"):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(outside / archive.stem)
    assert search(lab.settings.home) == [] and search(outside) == []
    (outside / "control.txt").write_text(TOKEN)
    assert [path.name for path in search(outside)] == ["control.txt"]


def test_an_error_that_echoes_a_token_is_told_without_it(planted, lab, spec, jobs_do_first):
    jobs_do_first(FAIL)
    run = lab.launch(spec())
    status = run.wait(PATIENCE)
    assert status.state == "failed"
    assert "401 Client Error for https://[secret]@hub.example/x?token=[secret]" in status.sentence
    log = (run.folder / "job.log").read_text()
    assert "about to ask" in log and "Traceback" in log and "[secret]" in log
    assert search(lab.settings.home) == []
