"""What is said, in one sentence, before anything is placed on a cluster."""

import json
import socket
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from mtlab.cli import main
from mtlab.cluster import address, facts, probe
from mtlab.cluster.connecting import explained
from mtlab.cluster.facts import Facts, facts_here, refuse_other, refuse_too_small
from mtlab.errors import InputError
from mtlab.executors import cluster_for
from mtlab.runs.placement import Placement, placement_of

NODE = Facts("node-7", "3.11.9", "2.60.0", "0.1.0 (ab12cd34)", (), 8, 2)


@pytest.mark.parametrize("text", ["auto", "ray://head.example:10001", "10.0.0.1:6379", None])
def test_addresses(text):
    assert address.checked_address(text) == (text or "auto")


@pytest.mark.parametrize(
    "text", ["http://head:10001", "head", "ray://head", "head:0", "head:99999", "a b:1", "--help"]
)
def test_what_is_no_address(text):
    with pytest.raises(InputError, match="^address: .*ray://HOST:10001"):
        address.checked_address(text)


def test_ray_is_an_extra(monkeypatch, home):
    monkeypatch.setattr(address, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"^executor: Ray is not .*pip install 'mtlab\[ray\]'"):
        cluster_for("ray", None, None, home)


def test_an_address_nobody_answers_is_found_out_at_once(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(InputError, match=f"no Ray cluster answers at 127.0.0.1:{port}.*refused"):
        cluster_for("ray", f"127.0.0.1:{port}", None, home)


def test_something_else_that_answers_is_given_only_so_long(home, monkeypatch):
    monkeypatch.setattr(probe, "SECONDS", 0.5)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        with pytest.raises(InputError, match="no Ray cluster answers at .*within 0 s"):
            cluster_for("ray", f"ray://127.0.0.1:{port}", None, home)


@pytest.mark.parametrize(
    ("executor", "where", "gpus", "says"),
    [
        ("slurm", None, None, "executor: there is no executor 'slurm'.*local or ray"),
        ("local", "head:6379", None, "address: only a cluster has one.*--executor ray"),
        ("local", None, 1, "gpus: only a cluster"),
        ("ray", None, -1, "gpus: '-1' cannot be used"),
    ],
)
def test_executors(executor, where, gpus, says, home):
    with pytest.raises(InputError, match=says):
        cluster_for(executor, where, gpus, home)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"ray": "2.9.1"}, "node-7 has Ray 2.9.1, and this machine has 2.60.0.*install Ray 2.60.0"),
        ({"python": "3.12.1"}, "node-7 has Python 3.12, and this machine has 3.11"),
        ({"mtlab": "0.1.0 (ffffffff)"}, r"has mtlab 0.1.0 \(ffffffff\), and this machine has"),
        ({"mtlab": ""}, "mtlab is not installed on the node node-7: install mtlab 0.1.0"),
        ({"lacks": ("peft", "torch")}, "the node node-7 lacks peft, torch.*requirements.txt"),
    ],
)
def test_a_node_that_differs(other, says):
    with pytest.raises(InputError, match=f"^address: .*{says}"):
        refuse_other(replace(NODE, **other), NODE)
    refuse_other(replace(NODE, python="3.11.2", node="another"), NODE)


@pytest.mark.parametrize(
    ("nodes", "gpus", "cpus", "says"),
    [
        ([replace(NODE, gpus=0)], 1, 1, "gpus: 1 GPU for each run.*the cluster has none"),
        ([NODE, replace(NODE, gpus=1)], 4, 1, "4 GPUs for each run .*its largest node has 2"),
        ([NODE], 0, 16, "MTLAB_THREADS: 16 CPUs for each run.*the largest node has 8"),
    ],
)
def test_a_cluster_that_is_too_small(nodes, gpus, cpus, says):
    with pytest.raises(InputError, match=says):
        refuse_too_small(nodes, gpus, cpus)
    refuse_too_small([NODE], 2, 8)


def told(monkeypatch, **answer):
    """Have the process that asks a cluster say something."""
    code = f"print({json.dumps(json.dumps(answer))})"
    monkeypatch.setattr(probe, "knock", lambda address: None)
    monkeypatch.setattr(probe.sys, "executable", sys.executable)
    run = probe.subprocess.run
    monkeypatch.setattr(
        probe.subprocess, "run", lambda command, **how: run([command[0], "-c", code], **how)
    )


def test_a_run_is_given_a_gpu_where_there_are_any(home, monkeypatch):
    node = replace(facts_here(), cpus=4, gpus=2).to_json()
    told(monkeypatch, address="10.0.0.1:6379", nodes=[node, {**node, "gpus": 0}])
    cluster = cluster_for("ray", "auto", None, replace(home, threads=2))
    assert (cluster.placement.address, cluster.placement.gpus) == ("10.0.0.1:6379", 1)
    assert cluster.sentence == (
        "on 2 nodes at 10.0.0.1:6379 (8 CPUs, 2 GPUs); each run is given 2 CPUs and 1 GPU"
    )
    assert cluster_for("ray", "auto", 0, home).placement.gpus == 0
    with pytest.raises(InputError, match="3 GPUs for each run"):
        cluster_for("ray", "auto", 3, home)


def test_a_run_that_shares_its_work_is_given_as_much_more():
    assert Placement("a:1", 1, 2).for_devices(4) == Placement("a:1", 4, 2)
    assert Placement("a:1", 0, 2).for_devices(4) == Placement("a:1", 0, 8)
    shared = SimpleNamespace(devices=4)  # what a spec says of it
    with pytest.raises(InputError, match="4 GPUs for each run.*its largest node has 2"):
        probe.Cluster((NODE,), Placement("a:1", 1)).placement_for(shared)


@pytest.fixture
def stopped_there(lab, queued):
    """A stopped run that lives on a cluster, as a handle."""

    def make(placement):
        run = queued(placement, devices=2, strategy="ddp")
        lab.store.request_stop(run.id)
        return lab.run(run.id)

    return make


@pytest.mark.parametrize(
    ("placement", "devices", "says"),
    [
        (Placement("a:1", 2, 1), 4, "has 4 GPUs for the run: give 3 or fewer."),
        (Placement("a:1", 0, 4), 8, "has 16 CPUs for the run: give 4 or fewer."),
        (Placement("a:1", 2, 16), 4, "has 4 GPUs for the run: add a larger node."),
        (Placement("a:1", 0, 10), 3, "has 15 CPUs for the run: give 1."),
    ],
)
def test_a_run_resumed_with_more_devices_than_its_cluster_has_is_refused(
    lab, stopped_there, monkeypatch, placement, devices, says
):
    node = replace(facts_here(), cpus=8, gpus=3).to_json()
    told(monkeypatch, address="a:1", nodes=[node, {**node, "gpus": 1}])
    run = stopped_there(placement)
    with pytest.raises(InputError) as caught:
        run.resume(devices=devices)
    assert str(caught.value) == f"devices: no node of the cluster at a:1 {says}"
    assert (run.status().state, run.status().devices) == ("stopped", 2)
    assert placement_of(run.folder) == placement


def test_the_command_line_says_it_in_one_sentence(lab, stopped_there, monkeypatch, capsys):
    told(monkeypatch, address="a:1", nodes=[replace(facts_here(), cpus=8, gpus=2).to_json()])
    run = stopped_there(Placement("a:1", 2, 1))
    assert main(["runs", "resume", run.id, "--devices", "4"]) == 2
    said = "mtlab: devices: no node of the cluster at a:1 has 4 GPUs for the run: give 2 or fewer."
    assert capsys.readouterr().err.strip() == said


def test_a_run_resumed_with_devices_that_its_cluster_has_is_queued(lab, stopped_there, monkeypatch):
    monkeypatch.setattr(lab, "supervise", lambda: None)
    told(monkeypatch, address="a:1", nodes=[replace(facts_here(), cpus=8, gpus=3).to_json()])
    run = stopped_there(Placement("a:1", 2, 1))
    run.resume(devices="3")  # as the command line gives it
    assert (run.status().devices, placement_of(run.folder).gpus) == (3, 3)


def test_a_run_resumed_with_as_many_devices_as_before_asks_nobody(lab, stopped_there, monkeypatch):
    monkeypatch.setattr(lab, "supervise", lambda: None)
    told(monkeypatch, what="nobody was to be asked", field="address", why=None, fix=None)
    for devices in (None, 2):
        run = stopped_there(Placement("a:1", 2, 1))
        run.resume(devices=devices)
        assert run.status().state == "queued"
    with pytest.raises(InputError, match="is queued"):
        run.resume(devices=4)


def test_what_the_asking_process_says_is_said(home, monkeypatch):
    told(monkeypatch, what="it is closed", field="address", why="night", fix="wait")
    with pytest.raises(InputError, match=r"^address: it is closed \(night\): wait\.$"):
        cluster_for("ray", "auto", None, home)


def test_the_source_of_mtlab_is_part_of_its_version():
    assert facts.mtlab_here().startswith("0.1.0 (") and facts.mtlab_here() == facts_here().mtlab


def test_ray_s_own_complaint_about_versions_becomes_a_sentence():
    text = (
        "Version mismatch: The cluster was started with:\n    Ray: 2.9.1\n    Python: 3.10.4\n"
        "This process on node 10.0.0.2 was started with:\n    Ray: 2.60.0\n    Python: 3.11.9\n"
    )
    said = str(explained(RuntimeError(text), "10.0.0.1:6379"))
    assert (
        "has Ray 2.9.1 on Python 3.10.4, and this machine has Ray 2.60.0 on Python 3.11.9" in said
    )
    assert "no Ray cluster answers" in str(explained(ConnectionError(""), "auto"))
