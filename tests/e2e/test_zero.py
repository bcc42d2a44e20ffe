"""ZeroGPU: a run in slices, each within a call that lends a GPU."""

import sys
from dataclasses import replace

import pytest

from mtlab import Lab
from mtlab.errors import InputError, NotAvailable
from mtlab.presets import resolve_base
from mtlab.runs import supervisor
from mtlab.runs.lent import main
from mtlab.settings import Settings
from mtlab.spaces import zero
from tests.e2e.faults.aftermath import check_aftermath
from tests.e2e.faults.conftest import plain
from tests.fake_jobs import fake_jobs
from tests.real_runs import jobs_do_first, lab, spec
from tests.spaces_stand_in import Zero

__all__ = ["fake_jobs", "jobs_do_first", "lab", "plain", "spec"]


TIME_IS_OVER = """
import os, signal
from pathlib import Path
from mtlab.training.watcher import Watcher

at_step = Watcher.on_step_end

def on_step_end(self, args, state, control, **others):
    mark = Path({folder!r}, f"slice-{{state.global_step}}")
    if state.global_step == 4 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGTERM)
    return at_step(self, args, state, control, **others)

Watcher.on_step_end = on_step_end
"""

SLICE = """
import os, sys
from mtlab.runs import lent, supervisor

supervisor.JOB = {job}
assert os.environ["CUDA_VISIBLE_DEVICES"] == "MIG-lent"
sys.exit(lent.main())
"""


@pytest.fixture
def lending(home, monkeypatch):
    """A lab on a ZeroGPU Space, and a visitor with a quota."""
    visitor = Zero()
    monkeypatch.setitem(sys.modules, "spaces", visitor)

    def of_the_hub(name, settings):  # as if the tiny model were one that needs a GPU
        return replace(resolve_base(name, settings), repo="owner/tiny")

    monkeypatch.setattr("mtlab.runs.lending.resolve_base", of_the_hub)
    zero._lender.cache_clear()
    made = Lab(replace(home, lent_seconds=120))
    yield made, visitor
    made.close()
    zero._lender.cache_clear()


@pytest.fixture
def slices_do_first(tmp_path, monkeypatch, jobs_do_first):
    """Have every job that a slice launches from now on run some Python first."""

    def do_first(prelude):
        jobs_do_first(prelude)
        script = tmp_path / "slice.py"
        script.write_text(SLICE.format(job=supervisor.JOB))
        monkeypatch.setattr(zero, "SLICE", (sys.executable, str(script)))

    return do_first


def test_a_run_is_done_in_slices(lending, spec, slices_do_first, tmp_path):
    in_slices, visitor = lending
    slices_do_first(TIME_IS_OVER.format(folder=str(tmp_path)))
    run = in_slices.launch(spec(score_base=False, probe_size=0))
    assert run.status().wants == "zero"
    in_slices.supervisor.tick()
    assert run.status().state == "queued", "it waits until somebody lends a GPU"
    zero.prepare(in_slices.settings)
    assert [one.state for one in in_slices.lend(run.id)] == ["queued", "finished"]
    assert visitor.durations == [130] * 2 and visitor.sizes == ["large"]
    status = run.status()
    assert status.device == "zero" and status.attempts == 2 and status.requeues == 2
    steps = [event.data["step"] for event in run.events() if event.kind == "step"]
    assert steps == list(range(1, 9)), "every step once, though it was begun twice"
    check_aftermath(in_slices.settings, [run.id])


def test_a_slice_ends_in_time(lending, plain, fake_jobs, monkeypatch):
    """A job that saves when it is asked to, one that does not hear, and one that never began."""
    in_slices, _ = lending
    monkeypatch.setenv("MTLAB_HOME", str(in_slices.settings.home))
    for behaviour in ("obedient", "stubborn"):
        fake_jobs(behaviour)
        run = in_slices.store.create(plain, wants="zero")
        assert main([run.id, "--seconds", "3", "--saving", "1"]) == 0
        state = in_slices.store.status(run.id).state
        assert state == ("queued" if behaviour == "obedient" else "failed")
    fake_jobs("stillborn")
    run = in_slices.store.create(plain, wants="zero")
    assert main([run.id, "--seconds", "2", "--saving", "1"]) == 0
    assert in_slices.store.status(run.id).state == "queued"
    assert not [one for one in in_slices.store.database.leases() if one.run]


def test_slices_that_lead_nowhere_end(lending, plain, monkeypatch):
    in_slices, visitor = lending
    monkeypatch.setattr(zero, "slice_of", lambda run, settings: "")
    run = in_slices.store.create(plain, wants="zero")
    with pytest.raises(NotAvailable, match="does not get on .* raise MTLAB_ZERO_SECONDS"):
        list(in_slices.lend(run.id))
    assert len(visitor.durations) == 3


def test_without_quota_it_says_so_and_keeps_what_it_learnt(lending, spec):
    in_slices, visitor = lending
    run = in_slices.launch(spec())
    visitor.quota = 5
    with pytest.raises(NotAvailable, match=r"no GPU was lent \(You have exceeded .* Sign up\)"):
        list(in_slices.lend(run.id))
    assert run.status().state == "queued" and not visitor.durations
    assert not [one for one in in_slices.store.database.leases() if one.run == run.id]


def test_who_does_not_wait_for_it_is_lent_nothing(lending, lab, spec):
    in_slices, visitor = lending
    run = in_slices.launch(spec())
    run.stop()
    with pytest.raises(InputError, match="does not wait for a GPU that is lent"):
        list(in_slices.lend(run.id))
    with pytest.raises(NotAvailable, match="this is no ZeroGPU Space"):
        list(lab.lend(run.id))


def test_what_goes_on_from_a_hub_model_waits_for_it_too(lending, spec, home):
    in_slices, _ = lending
    first = in_slices.launch(spec())
    second = in_slices.launch(spec(base=f"run:{first.id}"))
    assert second.status().wants == "zero" and second.status().needs == (first.id,)
    with pytest.raises(NotAvailable, match="waits for something else"):
        list(in_slices.lend(second.id))
    with pytest.raises(InputError, match="devices: one GPU at a time is lent"):
        in_slices.launch(spec(devices=2))


def test_two_slices_at_once_are_refused(lending, spec, capsys, monkeypatch):
    in_slices, _ = lending
    run = in_slices.launch(spec())
    monkeypatch.setenv("MTLAB_HOME", str(in_slices.settings.home))
    held = in_slices.store.database.claim(("zero",), "here", "token", lambda one: one == run.id)
    assert held == (run.id, ("zero",))
    assert main([run.id, "--seconds", "2"]) == 1
    assert "the run cannot be given the device" in capsys.readouterr().err


def test_settings_of_a_zero_space():
    assert Settings.from_environment({}).lent_seconds == 0
    asked = {"SPACES_ZERO_GPU": "true"}
    assert Settings.from_environment(asked).lent_seconds == 120
    with pytest.raises(InputError, match="MTLAB_ZERO_SECONDS: 5 seconds are too short"):
        Settings.from_environment({**asked, "MTLAB_ZERO_SECONDS": "5"})
