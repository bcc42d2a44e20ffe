"""Which run starts next on which devices: several at once, and no run waiting for ever."""

from __future__ import annotations

import pytest

from mtlab.errors import InputError
from mtlab.runs import devices as devices_module
from mtlab.runs import supervisor as supervisor_module
from mtlab.runs.allotting import Wish, next_start
from mtlab.runs.devices import check_device, check_share, environment_for
from mtlab.runs.supervisor import Supervisor

GPUS = ("cuda:0", "cuda:1", "cuda:2", "cuda:3")


@pytest.fixture
def four_gpus(monkeypatch):
    monkeypatch.setattr(devices_module, "allowed_devices", lambda settings: GPUS)
    monkeypatch.setattr(supervisor_module, "allowed_devices", lambda settings: GPUS)


@pytest.mark.parametrize(
    ("wishes", "held", "expected"),
    [
        ([Wish("a", 2)], {}, ("a", ("cuda:0", "cuda:1"))),
        ([Wish("a", 2)], {"cuda:0", "cuda:2"}, ("a", ("cuda:1", "cuda:3"))),
        ([Wish("a", 4)], {}, ("a", GPUS)),
        # Too few are free: what is free is kept for it, whoever stands behind.
        ([Wish("a", 2), Wish("b")], {"cuda:0", "cuda:1", "cuda:2"}, None),
        ([Wish("b"), Wish("a", 2)], {"cuda:0", "cuda:1", "cuda:2"}, ("b", ("cuda:3",))),
        # One device that is held is waited for by the run that wants it alone.
        ([Wish("a", 1, ("cuda:0",)), Wish("b")], {"cuda:0"}, ("b", ("cuda:1",))),
        ([Wish("a", 2, ("cuda:0", "cuda:1")), Wish("b")], {"cuda:0"}, ("b", ("cuda:2",))),
        ([Wish("a", 2, ("cuda:0", "cuda:1")), Wish("b", 3)], {"cuda:0"}, None),
        # More than there are, since MTLAB_DEVICES was changed: the others go on.
        ([Wish("a", 5), Wish("b")], {}, ("b", ("cuda:0",))),
        ([Wish("a")], set(GPUS), None),
    ],
)
def test_who_starts_where(wishes, held, expected):
    assert next_start(wishes, GPUS, held) == expected


def test_processes_on_a_cpu_share_one_device():
    assert next_start([Wish("a", 2)], ("cpu",), {}) == ("a", ("cpu",))
    assert next_start([Wish("a", 2)], ("cpu", "cuda:0", "cuda:1"), {}) == (
        "a", ("cuda:0", "cuda:1"),
    )  # fmt: skip


def test_a_run_holds_all_its_devices_and_frees_them(store, spec, home, fake_jobs, until, four_gpus):
    fake_jobs("obedient")
    shared = spec.with_changes(devices=3)
    first, second, single = (store.create(one) for one in (shared, shared, spec))
    supervisor = Supervisor(store, home)
    supervisor.tick()
    assert store.written_status(first.id).device == "cuda:0,cuda:1,cuda:2"
    held = {lease.name: lease.run for lease in store.database.leases() if lease.run}
    assert held == dict.fromkeys(GPUS[:3], first.id)
    assert store.database.queue() == [second.id, single.id], "cuda:3 is kept for the second"

    for name in ("lab.db", "lab.db-wal", "lab.db-shm"):
        (home.home / name).unlink(missing_ok=True)
    supervisor.tick()
    held = {lease.name: lease.run for lease in store.database.leases() if lease.run}
    assert held == dict.fromkeys(GPUS[:3], first.id), "an index made again knows of them all"

    (first.folder / "go").touch()

    def second_has_started():
        supervisor.tick()
        return store.written_status(second.id).state == "running"

    until(second_has_started)
    assert store.written_status(second.id).device == "cuda:0,cuda:1,cuda:2"
    assert store.written_status(single.id).device == "cuda:3"
    supervisor.stop()


def test_a_process_sees_all_its_devices(monkeypatch):
    monkeypatch.setattr(devices_module, "devices", lambda: GPUS)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    assert environment_for("cuda:1,cuda:3") == {"CUDA_VISIBLE_DEVICES": "5,7"}
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert environment_for("cuda:1,cuda:3") == {"CUDA_VISIBLE_DEVICES": "1,3"}


def test_more_devices_than_there_are(spec, home, monkeypatch, four_gpus):
    check_share(spec.with_changes(devices=4), home)
    with pytest.raises(InputError) as error:
        check_share(spec.with_changes(devices=5), home)
    assert error.value.sentence() == (
        "devices: runs may hold 4 GPUs here (cuda:0, cuda:1, cuda:2, cuda:3), not 5: "
        "give 4 or fewer."
    )
    with pytest.raises(InputError, match="devices: a step of 2 pairs cannot be shared among 3"):
        check_share(
            spec.with_changes(devices=3, training__batch_size=2, training__accumulation=1), home
        )
    check_device("cuda:1,cuda:2", home, 2)
    with pytest.raises(InputError, match="device: 'cuda:1' is not 2 different devices"):
        check_device("cuda:1", home, 2)
    monkeypatch.setattr(devices_module, "allowed_devices", lambda settings: ("cpu",))
    monkeypatch.setattr(devices_module.os, "cpu_count", lambda: 2)
    with pytest.raises(
        InputError, match="devices: this machine has no GPU, and 2 CPU cores for as many processes"
    ):
        check_share(spec.with_changes(devices=3), home)
