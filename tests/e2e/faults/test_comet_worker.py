"""COMET's worker is killed in the middle of a run; and one that never answers."""

import os
import signal
import threading
from dataclasses import replace

import psutil
import pytest

from mtlab.runs.files import read_lines
from mtlab.scoring.comet import CometScorer
from mtlab.scoring.values import Unavailable
from tests.e2e.faults.aftermath import check_aftermath
from tests.real_runs import PATIENCE, until


def workers(pid):
    """The COMET workers that a process has started."""
    try:
        children = psutil.Process(pid).children()
        return [one.pid for one in children if "comet_program" in " ".join(one.cmdline())]
    except psutil.Error:
        return []


def test_a_worker_killed_in_a_run_is_replaced_and_the_run_is_scored(
    lab, spec, tiny_comet, comet_settings, monkeypatch
):
    monkeypatch.setenv("MTLAB_COMET_ENV", str(comet_settings.comet_env))
    asked = spec(
        train=("de-en",), score_base=False, probe_size=0, metrics=("comet",),
        comet_model=str(tiny_comet.regression), training={"steps": 2},
    )  # fmt: skip
    run = lab.launch(asked)
    until(lambda: run.status().is_over or workers(run.status().pid))
    [first] = workers(run.status().pid)
    os.kill(first, signal.SIGKILL)
    status = run.wait(PATIENCE)
    assert status.state == "finished", status.sentence + run.log_tail()
    assert run.scores()["de-en"]["comet"]["n"] == 3
    rows = read_lines(run.folder / "translations" / "de-en.jsonl")
    assert all("comet" in row["scores"] for row in rows)
    check_aftermath(lab.settings, [run.id])


@pytest.fixture
def interpreter(home, tmp_path):
    """A scorer whose interpreter is a shell script that a test writes."""
    model = tmp_path / "model"
    (model / "checkpoints").mkdir(parents=True)
    (model / "checkpoints" / "model.ckpt").touch()
    (model / "hparams.yaml").touch()
    program = tmp_path / "python"

    def scorer(script, **options):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        settings = replace(home, comet_python=program)
        return CometScorer(settings, str(model), **options)

    return scorer


LONG = ["Wo ist der Bahnhof? " * 20_000]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exec sleep 600", "its worker gave no sign of life for 1 seconds"),
        (
            """printf '{"kind": "loaded", "model": "m"}\\n'; exec sleep 600""",
            "its worker gave no sign of life for 1 seconds",
        ),
        ("""printf '{"kind": "loa'""", "its worker ended with exit status 0"),
        ("echo 'no memory' >&2; kill -9 $$", "its worker ended with signal 9: no memory"),
    ],
    ids=["reads nothing", "loads and then reads nothing", "dies in a line", "is killed twice"],
)
def test_a_worker_that_never_answers_is_given_up(interpreter, script, why):
    before = set(psutil.Process().children())
    with interpreter(script, load_timeout=1, silence_timeout=1) as scorer:
        answer = scorer.score(LONG, LONG, {"one": LONG})["one"]
    assert isinstance(answer, Unavailable) and answer.why == why and answer.fix
    assert set(psutil.Process().children()) <= before


def test_who_waits_for_a_silent_worker_may_end_the_waiting(interpreter):
    class Enough(Exception):
        pass

    told = []

    def tell(share, text):
        told.append(text)
        if len(told) == 3:
            raise Enough

    before = set(psutil.Process().children())
    with pytest.raises(Enough), interpreter("exec sleep 600", on_progress=None) as scorer:
        scorer._tell = tell
        scorer.score(["Ja."], ["Yes."], {"one": ["Yes."]})
    assert told[-1].startswith("loading ")
    assert set(psutil.Process().children()) <= before
    assert threading.active_count() < 50


def test_what_a_killed_job_had_started_and_hangs_is_ended(store, plain, supervisor, fake_jobs):
    """As when a worker never answers and its job is gone: the run is no ghost for that."""
    fake_jobs("child")
    run = store.create(plain)
    home = store.settings

    def ticked(holds):
        supervisor.tick()
        return holds()

    until(lambda: ticked(lambda: store.status(run.id).pid))
    leader = psutil.Process(store.status(run.id).pid)
    until(lambda: leader.children())
    [child] = leader.children()
    os.kill(leader.pid, signal.SIGKILL)
    until(lambda: ticked(lambda: store.status(run.id).is_over))
    assert store.status(run.id).state == "failed"
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    until(lambda: ticked(lambda: store.database.states() == {run.id: "failed"}))
    check_aftermath(home, [run.id], tick=supervisor.tick)
