"""The disk fills in every phase of a real job; freed, the run goes on to its end."""

import pytest

from mtlab.errors import NotAvailable
from mtlab.runs.status import PHASES
from tests.e2e.faults.aftermath import check_aftermath
from tests.e2e.faults.small_disk import SmallDisk
from tests.e2e.faults.test_killed_processes import hold_next
from tests.real_runs import PATIENCE, until


@pytest.fixture
def disk(home, tmp_path):
    home.home.mkdir()
    made = SmallDisk(home.home, tmp_path)
    yield made
    made.unmount()


def test_a_full_disk_in_every_phase(disk, lab, spec, holding, jobs_do_first):
    jobs_do_first(disk.prelude + holding.prelude)
    holding.at("prepare")
    run = lab.launch(spec())
    for phase in PHASES:
        pid = holding.wait(run, phase)
        disk.fill()
        hold_next(holding, phase)
        until(lambda: run.status().state != "running")
        status = run.status()
        assert status.state in ("failed", "interrupted"), status
        assert "disk" in status.sentence and "full" in status.sentence, (phase, status.sentence)
        if phase == "train" and disk.is_real:
            with pytest.raises(NotAvailable, match="is full: free some space, then try again"):
                lab.launch(spec())
            assert [one.id for one in lab.runs()] == [run.id]
            assert lab.queue() == []
        disk.free()
        until(lambda pid=pid: run.status().is_over or run.status().pid not in (None, pid))
        if run.status().is_over:
            check_aftermath(lab.settings, [run.id])
            run.resume()
    status = run.wait(PATIENCE)
    assert status.state == "finished", status.sentence + run.log_tail()
    assert set(run.scores()) == set(run.base_scores()) == {"de-en", "en-de"}
    check_aftermath(lab.settings, [run.id])
