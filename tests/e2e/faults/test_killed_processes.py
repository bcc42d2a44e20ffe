"""SIGKILL in every phase: of the job, and of the process that looks after it."""

import os
import signal

from mtlab.runs.status import PHASES
from tests.e2e.faults.aftermath import check_aftermath
from tests.real_runs import PATIENCE, notes, until

NEXT = dict(zip(PHASES, (*PHASES[1:], None), strict=True))


def hold_next(holding, phase):
    if NEXT[phase] is None:
        holding.nowhere()
    else:
        holding.at(NEXT[phase])


def test_a_job_killed_in_every_phase(lab, spec, holding):
    holding.at("prepare")
    run = lab.launch(spec())
    ends = {}
    for phase in PHASES:
        pid = holding.wait(run, phase)
        hold_next(holding, phase)
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: run.status().is_over or run.status().pid not in (None, pid))
        status = run.status()
        ends[phase] = status.state
        if status.is_over:
            assert f"the run's process ended while it was in the phase '{phase}'" in status.sentence
            check_aftermath(lab.settings, [run.id])
            run.resume()
    assert ends == {
        **dict.fromkeys(("prepare", "load"), "failed"),
        **dict.fromkeys(("base", "train"), "running"),  # it went on by itself, twice
        "decode": "interrupted",
        "score": "running",  # and so it does again after a person resumed it
    }
    status = run.wait(PATIENCE)
    assert status.state == "finished", status.sentence + run.log_tail()
    assert status.attempts == 7
    assert set(run.scores()) == set(run.base_scores()) == {"de-en", "en-de"}
    check_aftermath(lab.settings, [run.id])


def test_the_app_killed_in_every_phase(lab, spec, holding, apps, kill, monkeypatch):
    """Its run goes on; in the last phase that is killed with it, as by a power cut."""
    monkeypatch.setattr(lab.supervisor, "start", lambda: None)
    holding.at("prepare")
    app = apps()
    run = lab.launch(spec())
    for phase in PHASES:
        pid = holding.wait(run, phase)
        kill(app)
        check_aftermath(lab.settings, [run.id])
        assert run.status().state == "running" and run.status().pid == pid
        if phase == PHASES[-1]:
            os.killpg(pid, signal.SIGKILL)
        app = apps()
        hold_next(holding, phase)
    until(lambda: run.status().is_over)
    assert run.status().state == "finished" and run.status().attempts == 2
    assert "interrupted; goes on by itself (1 of 2)" in notes(run)
    check_aftermath(lab.settings, [run.id])
