"""A run seen through from the home's side, with real processes that only pretend to train."""

import threading
import time

import pytest

from mtlab.cluster import attendance, courier
from mtlab.cluster import watcher as watcher_module
from mtlab.cluster.attendance import Attendance
from mtlab.cluster.facts import Facts
from mtlab.cluster.far import Lost, Refused, Silent, call
from mtlab.cluster.probe import Cluster
from mtlab.cluster.scratch import clear_up
from mtlab.cluster.watcher import STOP_SECONDS, Watcher, end_stopped, live_runs
from mtlab.errors import InputError
from mtlab.experiments import Experiment
from mtlab.runs.files import write_json
from mtlab.runs.holding import Holding
from mtlab.runs.placement import FILE, Placement, placement_of
from mtlab.sweeps import Sweep

STEPS = {"training": {"steps": 5}}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(attendance, "LOOK_SECONDS", 0.02)


def attend(lab, run, jobs, goes_on=lambda: True):
    Attendance(lab.store, run.id, jobs, goes_on).attend()
    return lab.store.status(run.id)


def numbers(lab, run):
    return [event.seq for event in lab.store.log(run.id).read()]


def without_gap(lab, run):
    found = numbers(lab, run)
    return found == list(range(1, len(found) + 1))


def test_a_remote_run_looks_like_a_local_one(lab, queued, near_jobs):
    run = queued(**STEPS)
    status = attend(lab, run, near_jobs)
    assert (status.state, status.attempts, status.progress) == ("finished", 1, 1.0)
    assert status.device.startswith("ray:") and status.pid is None and status.wants == "ray"
    assert "train" in status.seconds and status.ended >= status.began
    kinds = [event.kind for event in lab.store.log(run.id).read()]
    assert kinds == ["phase", *["step"] * 5, "end"] and without_gap(lab, run)
    assert (run.folder / "made.bin").read_bytes() == bytes(5)
    assert "--- attempt 1" in (run.folder / "job.log").read_text()
    assert near_jobs.there == {}  # nothing is left on the node
    assert not [path for path in run.folder.rglob(".*")]
    assert lab.store.database.wanting("ray") == {}


def test_whoever_comes_after_a_watcher_that_died_goes_on_where_it_was(lab, queued, near_jobs):
    run = queued(name="waits", **STEPS)
    watching = {"goes on": True}

    def first():
        attend(lab, run, near_jobs, lambda: watching["goes on"])

    thread = threading.Thread(target=first)
    thread.start()
    while len(numbers(lab, run)) < 6:
        time.sleep(0.01)
    watching["goes on"] = False
    thread.join(20)
    assert not thread.is_alive() and len(near_jobs.there) == 1
    assert lab.store.status(run.id).state == "running"
    lab.store.request_stop(run.id)
    status = attend(lab, run, near_jobs)
    assert status.sentence == ""
    assert (status.state, status.attempts) == ("stopped", 1)
    assert without_gap(lab, run) and len(near_jobs.hired) == 1


def ended_unwatched(lab, run, jobs):
    """See a run begun, leave, and come back to the node when its process is over."""
    watching = {"goes on": True}
    run_there = []
    jobs.on_hire = run_there.append
    thread = threading.Thread(target=attend, args=(lab, run, jobs, lambda: watching["goes on"]))
    thread.start()
    while len(numbers(lab, run)) < 6:
        time.sleep(0.01)
    watching["goes on"] = False
    thread.join(20)
    job = run_there[0].job
    job.stop()
    while not job.is_over():
        time.sleep(0.02)


def test_a_run_that_ended_unwatched_has_given_its_place_back_and_is_fetched_later(
    lab, queued, near_jobs
):
    run = queued(name="waits", **STEPS)
    ended_unwatched(lab, run, near_jobs)
    name = f"{run.id}.1"
    near_jobs.hand_over(name)
    clear_up(near_jobs.heirs[name].job._root)  # as the next run there does
    status = attend(lab, run, near_jobs)
    assert (status.state, status.attempts) == ("stopped", 1)
    assert without_gap(lab, run) and (run.folder / "made.bin").read_bytes() == bytes(5)
    assert near_jobs.hired == [name] and near_jobs.names() == set()


def test_a_place_that_is_given_back_while_files_come_home_costs_none(
    lab, queued, near_jobs, monkeypatch
):
    run = queued(name="waits", **STEPS)
    ended_unwatched(lab, run, near_jobs)
    name, job = f"{run.id}.1", near_jobs.there[f"{run.id}.1"]
    (job.job._folder / "adapter").mkdir()
    (job.job._folder / "adapter" / "a.safetensors").write_bytes(bytes(range(100)))
    monkeypatch.setattr(courier, "PIECE", 30)
    whole, given = job.ask, []

    def ask(method, *arguments):
        if method == "give" and arguments[0].startswith("outbox"):
            given.append(arguments[1])
            if len(given) == 3:
                near_jobs.hand_over(name)
        return whole(method, *arguments)

    monkeypatch.setattr(job, "ask", ask)
    one = Attendance(lab.store, run.id, near_jobs, lambda: True)
    assert one.has_place
    one.attend()
    assert lab.store.status(run.id).state == "stopped" and not one.has_place
    assert (run.folder / "adapter" / "a.safetensors").read_bytes() == bytes(range(100))
    assert given == [0, 30, 60] and near_jobs.hired == [name]


def test_a_node_that_is_lost_with_what_it_kept_is_gone_on_from_elsewhere(lab, queued, near_jobs):
    run = queued(name="waits", **STEPS)
    ended_unwatched(lab, run, near_jobs)
    near_jobs.hand_over(f"{run.id}.1")
    near_jobs.heirs[f"{run.id}.1"].failures = {"look": [Lost("the node died")]}
    assert attend(lab, run, near_jobs).state == "queued"
    assert near_jobs.names() == set()


def test_a_run_that_only_is_fetched_leaves_room_for_another(lab, queued, near_jobs, monkeypatch):
    fetched = threading.Event()
    monkeypatch.setattr(Attendance, "attend", lambda self: fetched.wait(20))
    monkeypatch.setattr(watcher_module, "AHEAD", 0)
    first, second = queued(**STEPS), queued(**STEPS)
    watcher = Watcher(
        lab.store, "127.0.0.1:6379", near_jobs, Holding(lab.store.database, "cluster x")
    )
    watcher.tick()
    assert set(watcher._threads) == {first.id}
    watcher._attended[first.id].has_place = False
    watcher.tick()
    assert set(watcher._threads) == {first.id, second.id}
    fetched.set()


def test_a_lost_node_is_gone_on_from_elsewhere_twice_and_no_more(lab, queued, near_jobs):
    run = queued(**STEPS)
    near_jobs.on_hire = lambda job: job.failures.update(look=[Lost("the node died")])
    for left in (1, 0):
        status = attend(lab, run, near_jobs)
        assert (status.state, status.requeues) == ("queued", left)
        assert "was lost; it goes on elsewhere" in status.detail
        assert status.wants == "ray" and lab.store.database.queue() == [run.id]
    status = attend(lab, run, near_jobs)
    assert status.state == "failed" and "its node was lost, 3 times in all" in status.sentence
    assert near_jobs.hired == [f"{run.id}.{number}" for number in (1, 2, 3)]
    assert without_gap(lab, run)


def test_a_run_whose_job_is_not_there_any_more_was_lost(lab, queued, near_jobs):
    run = queued(**STEPS)
    status = lab.store.written_status(run.id)
    lab.store.write_status(run.id, status.with_changes(state="running", attempts=1, token="t"))
    assert attend(lab, run, near_jobs).state == "queued"
    assert attend(lab, run, near_jobs).state == "finished"
    assert near_jobs.hired == [f"{run.id}.2"]


def checkpoint(folder, step):
    place = folder / f"checkpoint-{step}"
    place.mkdir()
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "model.safetensors"):
        (place / name).write_bytes(str(step).encode())
    write_json(place / "trainer_state.json", {"global_step": step})


def test_a_checkpoint_comes_home_while_the_run_goes_on_and_is_sent_out_again(
    lab, queued, near_jobs
):
    run = queued(name="waits", **STEPS)
    near_jobs.on_hire = lambda job: hired.append(job)
    hired = []
    thread = threading.Thread(target=attend, args=(lab, run, near_jobs))
    thread.start()
    while len(numbers(lab, run)) < 6:
        time.sleep(0.01)
    there = hired[0].job._folder
    checkpoint(there, 2)
    checkpoint(there, 4)
    (there / "checkpoint-6").mkdir()  # one that is being written
    while not (run.folder / "checkpoint-4").exists():
        time.sleep(0.01)
    hired[0].failures["look"] = [Lost("the node died")]
    thread.join(20)
    assert {path.name for path in run.folder.glob("checkpoint-*")} == {"checkpoint-4"}
    assert lab.store.status(run.id).state == "queued"

    thread = threading.Thread(target=attend, args=(lab, run, near_jobs))
    thread.start()
    while len(hired) < 2 or hired[1].job._child is None:
        time.sleep(0.01)
    assert (hired[1].job._folder / "checkpoint-4" / "optimizer.pt").read_bytes() == b"4"
    lab.store.request_stop(run.id)
    thread.join(20)
    assert lab.store.status(run.id).state == "stopped" and without_gap(lab, run)


def test_discarding_a_live_run_ends_it_there_and_removes_it_here(lab, queued, near_jobs):
    run = queued(name="waits", **STEPS)
    thread = threading.Thread(target=Attendance(lab.store, run.id, near_jobs, lambda: True).attend)
    thread.start()
    while len(numbers(lab, run)) < 6:
        time.sleep(0.01)
    process = next(iter(near_jobs.there.values())).job._child
    lab.store.request_stop(run.id, keep=False)
    thread.join(20)
    assert not run.folder.exists() and near_jobs.there == {}
    assert process.poll() is not None


def test_a_node_that_cannot_take_it_fails_the_run_with_a_sentence(lab, queued, near_jobs):
    run = queued(**STEPS)
    full = Refused("[Errno 28] No space left on device")
    near_jobs.on_hire = lambda job: job.failures.update(take=[full])
    status = attend(lab, run, near_jobs)
    assert status.state == "failed" and "MTLAB_SCRATCH" in status.sentence
    assert "No space left" in status.sentence and len(status.sentence.splitlines()) == 1


def test_a_silent_node_is_asked_again(lab, queued, near_jobs):
    run = queued(**STEPS)
    near_jobs.on_hire = lambda job: job.failures.update(look=[Silent("no answer")])
    with pytest.raises(Silent):
        attend(lab, run, near_jobs)
    assert lab.store.status(run.id).state == "running"
    assert attend(lab, run, near_jobs).state == "finished"


def test_a_run_that_was_given_its_place_and_not_begun_is_begun_by_the_next(lab, queued, near_jobs):
    run = queued(**STEPS)
    near_jobs.on_hire = lambda job: job.failures.update(begin=[Silent("cut off")])
    with pytest.raises(Silent):
        attend(lab, run, near_jobs)
    status = lab.store.status(run.id)
    assert status.state == "running" and not numbers(lab, run)
    status = attend(lab, run, near_jobs)
    assert (status.state, status.attempts) == ("finished", 1) and len(near_jobs.hired) == 1


def test_a_run_that_was_stopped_while_it_waited_for_a_place_gives_it_up(lab, queued, near_jobs):
    run = queued(**STEPS)

    def full(job):
        job.failures.update(hello=[Silent("no place yet")])
        lab.store.request_stop(run.id)

    near_jobs.on_hire = full
    assert attend(lab, run, near_jobs).state == "stopped"
    assert near_jobs.hired == [f"{run.id}.1"] and near_jobs.there == {}
    assert attend(lab, run, near_jobs).state == "stopped" and len(near_jobs.hired) == 1


def test_the_local_supervisor_leaves_it_alone(lab, queued):
    run = queued(**STEPS)
    lab.supervisor.tick()
    assert lab.store.status(run.id).state == "queued"
    status = lab.store.written_status(run.id)
    far = {"state": "running", "token": "t", "host": "node-7", "device": "ray:node-7"}
    lab.store.write_status(run.id, status.with_changes(**far, began=1.0, heartbeat=1.0))
    lab.supervisor.tick()
    lab.supervisor.tick()
    assert lab.store.status(run.id).state == "running"
    assert not [lease for lease in lab.store.database.leases() if lease.run]
    lab.store.index.rebuild()
    lab.supervisor.tick()
    assert lab.store.status(run.id).state == "running"
    assert lab.store.database.wanting("ray") == {run.id: "running"}


def test_a_watcher_places_in_the_order_of_the_queue_and_ends_what_nobody_wants(
    lab, queued, near_jobs, monkeypatch
):
    runs = [queued(seed=seed, **STEPS) for seed in range(4)]
    elsewhere = queued(Placement("other:1"), seed=9)
    monkeypatch.setattr(watcher_module, "AHEAD", 0)
    lab.store.move(runs[3].id, "front")
    near_jobs.hire("a-deleted-run.1", "20200101-000000-0000", None)
    watcher = Watcher(
        lab.store, "127.0.0.1:6379", near_jobs, Holding(lab.store.database, "cluster x")
    )
    while watcher.tick():
        time.sleep(0.01)
    assert [lab.store.status(run.id).state for run in runs] == ["finished"] * 4
    order = [runs[number].id for number in (3, 0, 1, 2)]
    assert near_jobs.hired[1:] == [f"{run}.1" for run in order]
    assert "a-deleted-run.1" not in near_jobs.there
    assert lab.store.status(elsewhere.id).state == "queued"
    assert list(live_runs(lab.store, "other:1")) == [elsewhere.id]
    other = Watcher(lab.store, "other:1", near_jobs, Holding(lab.store.database, "cluster x"))
    other.tick()
    assert lab.store.status(elsewhere.id).state == "queued"  # the first one holds the lease


def test_a_run_on_a_cluster_that_does_not_answer_can_be_stopped(lab, queued):
    run = queued(**STEPS)
    status = lab.store.written_status(run.id)
    lab.store.write_status(run.id, status.with_changes(state="running", token="t"))
    lab.store.index.mend(run.id)
    lab.store.request_stop(run.id)
    end_stopped(lab.store, "127.0.0.1:6379")
    assert lab.store.status(run.id).state == "running"  # it may answer yet
    write_json(run.folder / "stop.json", {"keep": True, "time": time.time() - STOP_SECONDS - 1})
    end_stopped(lab.store, "127.0.0.1:6379")
    assert lab.store.status(run.id).state == "stopped"


def test_a_file_cut_off_goes_on_and_a_torn_one_is_refused(queued, near_jobs, tmp_path, monkeypatch):
    monkeypatch.setattr(courier, "PIECE", 10)
    job = near_jobs.hire("a.1", queued().id, None)
    (job.job._folder / "big.bin").write_bytes(bytes(range(95)))
    job.failures["give"] = [None, None, Lost("the network")]
    target = tmp_path / "came" / "big.bin"
    with pytest.raises(Lost):
        courier.fetch(job, "big.bin", target, lambda: None)
    assert not target.exists()
    job.asked.clear()
    courier.fetch(job, "big.bin", target, lambda: None)
    assert target.read_bytes() == bytes(range(95))
    assert [one[1][1] for one in job.asked if one[0] == "give"] == list(range(20, 95, 10))

    (job.job._folder / "big.bin").write_bytes(bytes(95))
    digest = job.job.digest("big.bin")
    (job.job._folder / "big.bin").write_bytes(bytes(range(95)))
    job.job.digest = lambda path: digest  # it changed after its digest was taken
    with pytest.raises(courier.Torn):
        courier.fetch(job, "big.bin", target, lambda: None)
    assert target.read_bytes() == bytes(range(95)) and len(list(target.parent.iterdir())) == 1


def test_what_is_sent_is_checked_and_leads_nowhere_else(queued, near_jobs):
    job = near_jobs.hire("a.1", queued().id, None)
    call(job, "take", "own/x", 0, b"abc")
    with pytest.raises(Refused, match="did not arrive"):
        call(job, "keep", "own/x", "0" * 64)
    for method, arguments in (("take", ("own/../../x", 0, b"")), ("give", ("../../x", 0, 1))):
        with pytest.raises(Refused, match="leads out"):
            call(job, method, *arguments)


def test_a_run_that_is_over_goes_on_where_it_is_said_to(lab, queued, near_jobs):
    run = queued(**STEPS)
    with pytest.raises(InputError, match="is queued: stop it first"):
        lab.store.place(run.id, None, 1)
    lab.store.request_stop(run.id)
    lab.store.place(run.id, None, 1)  # on this machine
    lab.store.requeue(run.id)
    assert live_runs(lab.store, "127.0.0.1:6379") == {} and not (run.folder / FILE).exists()
    lab.store.request_stop(run.id)
    lab.store.place(run.id, Placement("127.0.0.1:6379"), 1)
    lab.store.requeue(run.id)
    assert attend(lab, run, near_jobs).state == "finished"


@pytest.mark.parametrize(
    ("before", "count", "after"),
    [
        (Placement("here", 2, 4), 4, Placement("here", 4, 4)),
        (Placement("here", 2, 4), 1, Placement("here", 1, 4)),
        (Placement("here", 0, 6), 4, Placement("here", 0, 12)),
        (Placement("here", 0, 6), 1, Placement("here", 0, 3)),
        (Placement("here", 4, 4), 2, Placement("here", 4, 4)),  # not another number than before
    ],
)
def test_a_run_resumed_with_other_devices_is_given_as_many(lab, queued, before, count, after):
    run = queued(before, devices=2, strategy="ddp")
    lab.store.request_stop(run.id)
    lab.store.requeue(run.id, count)
    assert lab.store.status(run.id).devices == count
    assert placement_of(run.folder) == after


def test_a_place_comes_with_the_devices_it_was_made_for(lab, queued):
    run = queued(Placement("here", 2), devices=2, strategy="ddp")
    lab.store.request_stop(run.id)
    lab.store.place(run.id, Placement("here", 4), 4)
    lab.store.requeue(run.id)
    assert (lab.store.status(run.id).devices, placement_of(run.folder).gpus) == (4, 4)


def test_a_sweep_with_other_devices_queues_a_run_again_with_them(lab):
    spec = {"base": "nano", "train": ["de-en"], "size": 4, "metrics": ["chrf"]}
    nodes = (Facts("node", "3.11", "2.60", "0.1", (), 8, 8),)
    cluster = Cluster(nodes, Placement("here", 1))

    def enqueue(devices):
        experiment = Experiment("mine", {**spec, "devices": devices, "strategy": "ddp"}, {})
        [run] = Sweep(lab, experiment, cluster=cluster).enqueue()
        return run

    run = enqueue(2)
    lab.store.request_stop(run.id)
    assert enqueue(4).id == run.id
    assert (run.status().devices, placement_of(run.folder).gpus) == (4, 4)


def test_room_is_asked_for_each_size_of_run(lab, queued, near_jobs, monkeypatch):
    monkeypatch.setattr(near_jobs, "slots", lambda placement: 4 // placement.gpus)
    watcher = Watcher(lab.store, "here", near_jobs, Holding(lab.store.database, "cluster x"))
    rooms = [watcher._room(Placement("here", gpus)) for gpus in (1, 4, 1)]
    assert rooms == [4, 1, 4]
