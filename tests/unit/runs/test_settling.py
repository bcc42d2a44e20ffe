"""What became of a run whose process is gone."""

import json
from types import SimpleNamespace

import pytest

from mtlab.runs.identity import ProcessIdentity
from mtlab.runs.settling import EXIT_DISK_FULL, can_resume, is_complete_checkpoint, settled

PARTS = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "adapter_model.safetensors")


@pytest.fixture
def running(store, spec):
    """A run whose process is not there any more."""
    record = store.create(spec)
    status = store.status(record.id).with_changes(
        state="running", pid=2**22 + 1, started="gone:1", token="mtlab-gone", phase="train"
    )
    store.write_status(record.id, status)
    return record


def outcome(store, record, **options):
    status = store.written_status(record.id)
    return settled(status, record.folder, store.log(record.id), **options)


def checkpoint(folder, step=5, without=()):
    place = folder / f"checkpoint-{step}"
    place.mkdir()
    for name in PARTS:
        if name not in without:
            (place / name).write_bytes(b"x")
    if "trainer_state.json" not in without:
        (place / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return place


def test_the_end_event_decides(store, running):
    store.log(running.id).append("end", state="finished")
    assert store.status(running.id).state == "finished"


def test_the_error_of_a_failed_run_is_told(store, running):
    store.log(running.id).append("error", what="the loss is no number", why=None, fix="lower it")
    store.log(running.id).append("end", state="failed")
    assert store.status(running.id).sentence == "the loss is no number: lower it."


def test_an_end_of_an_earlier_attempt_does_not_count(store, running):
    log = store.log(running.id)
    log.append("end", state="interrupted")
    status = store.written_status(running.id)
    store.write_status(running.id, status.with_changes(since=log.read()[-1].seq))
    assert outcome(store, running).state == "failed"


def test_dead_with_a_checkpoint_is_interrupted_and_without_failed(store, running):
    assert outcome(store, running).state == "failed"
    checkpoint(running.folder)
    found = outcome(store, running)
    assert found.state == "interrupted" and "resume" in found.sentence


@pytest.mark.parametrize("missing", [*PARTS, "trainer_state.json"])
def test_a_checkpoint_counts_only_when_complete(running, missing):
    place = checkpoint(running.folder, without=(missing,))
    assert not is_complete_checkpoint(place) and not can_resume(running.folder)


def test_a_torn_trainer_state_makes_no_checkpoint(running):
    place = checkpoint(running.folder)
    assert is_complete_checkpoint(place)
    (place / "trainer_state.json").write_text('{"global_step": ')
    assert not is_complete_checkpoint(place)


def test_a_direction_that_is_translated_need_not_be_again(running):
    assert not can_resume(running.folder)
    (running.folder / "translations").mkdir()
    assert not can_resume(running.folder)
    (running.folder / "translations" / "de-en.jsonl").write_text("{}\n")
    assert can_resume(running.folder)


def test_training_that_is_done_can_be_gone_on_from(running):
    (running.folder / "trained.json").write_text("{}")
    assert can_resume(running.folder)


@pytest.mark.parametrize(
    ("exit_code", "log", "words"),
    [
        (-9, "", "memory ran out"),
        (-11, "", "SIGSEGV"),
        (1, "Traceback\nValueError: nonsense\n", "ValueError: nonsense"),
        (1, "OSError: [Errno 28] No space left on device\n", "the disk is full"),
        (EXIT_DISK_FULL, "", "the disk is full"),
        (None, "No space left on device\n--- attempt 2\n", "killed or the machine restarted"),
        (1, "out of memory\n--- attempt 2\nValueError: nonsense\n", "(ValueError: nonsense)"),
        (None, "", "killed or the machine restarted"),
    ],
)
def test_the_cause_is_told_from_exit_and_log(store, running, exit_code, log, words):
    (running.folder / "job.log").write_text(log)
    assert words in outcome(store, running, exit_code=exit_code).sentence


def test_a_disk_too_full_to_say_so_is_the_cause(store, running, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100))
    assert "(the disk is full): " in outcome(store, running).sentence


def test_a_person_who_asked_gets_stopped(store, running):
    (running.folder / "stop.json").write_text(json.dumps({"keep": True, "time": 0.0}))
    assert outcome(store, running).state == "stopped"


def test_what_lives_runs(store, running):
    me = ProcessIdentity.of_this_process()
    status = store.written_status(running.id)
    status = status.with_changes(pid=me.pid, started=me.started, token=None)
    store.write_status(running.id, status)
    assert store.status(running.id).state == "running"
