"""Sweeps on a real Ray cluster of two nodes: one is killed, the driver is killed, no event lost."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from mtlab import Lab
from mtlab.experiments import Experiment
from mtlab.runs.files import read_lines
from mtlab.runs.store import RunStore
from tests.ray_cluster import ray_cluster
from tests.real_runs import notes, until

SWEEP = """
name: tiny
spec:
  train: [de-en]
  training: {method: lora, steps: 100, checkpoint_steps: 10, batch_size: 4}
  test_limit: 4
  probe_size: 0
  metrics: [bleu, chrf]
  decoding: {strategy: greedy, max_new_tokens: 16}
axes: {size: [4, 8]}
"""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("node")


@pytest.fixture(scope="module")
def cluster(scratch):
    with ray_cluster(scratch) as made:
        yield made


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("MTLAB_THREADS", "1")


def held_places(cluster):
    """How many CPUs of the cluster runs hold, asked by a process of its own."""
    ask = f"import ray; ray.init({cluster.address!r}, log_to_driver=False, logging_level=40)\n"
    ask += "free, all = ray.available_resources(), ray.cluster_resources()\n"
    ask += "print('HELD', all['CPU'] - free.get('CPU', 0.0))"
    done = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=120
    )
    return float(done.stdout.split("HELD")[1])


def numbers(folder):
    return [row["seq"] for row in read_lines(folder / "events.jsonl")]


def test_a_sweep_outlives_a_node_and_its_driver(
    cluster, scratch, mtlab, tiny_model, tmp_path, home
):
    (tmp_path / "sweep.yaml").write_text(SWEEP, encoding="utf-8")
    words = ("sweep", "sweep.yaml", "--base", str(tiny_model))
    status, local, text = mtlab(*words, "--json", MTLAB_HOME=str(tmp_path / "alone"))
    assert status == 0, text

    worker = cluster.add()
    there = (*words, "--executor", "ray", "--address", cluster.address, "--json")
    driver = subprocess.Popen(
        [sys.executable, "-m", "mtlab", *there], cwd=tmp_path,
        env=dict(os.environ), stdout=subprocess.DEVNULL,
    )  # fmt: skip
    lab = Lab(home)
    until(lambda: len(list(home.runs.glob("2*/checkpoint-*"))) == 2)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert [run.status().state for run in lab.runs()] == ["running"] * 2
    cluster.kill(worker)

    status, elsewhere, text = mtlab(*there)
    assert status == 0 and "on 1 node at" in text, text
    assert elsewhere["means"] == local["means"]
    runs = sorted(lab.runs(), key=lambda run: run.status().attempts)
    assert [run.status().attempts for run in runs] == [1, 2]
    said = " ".join(notes(runs[1]))
    assert "was lost; it goes on elsewhere" in said and "training goes on from checkpoint-" in said
    for run in runs:
        found = numbers(run.folder)
        assert found == list(range(1, len(found) + 1))
        one = next(one["id"] for one in local["runs"] if one["size"] == run.spec.size)
        for name in ("adapter/adapter_model.safetensors", "translations/de-en.jsonl"):
            made = (run.folder / name).read_bytes()
            assert made == (tmp_path / "alone" / "runs" / one / name).read_bytes()
        assert not list(run.folder.glob("checkpoint-*"))
        written = "".join(path.read_text() for path in run.folder.glob("*.json"))
        assert str(tiny_model) in written and str(scratch) not in written
    assert list((scratch / "jobs").iterdir()) == []


def test_runs_from_afar_are_followed_stopped_and_discarded(cluster, mtlab, home):
    shared = {"base": "nano", "train": ["de-en"], "training": {"steps": 300}}
    kinds = ({"size": 4}, {"size": 8, "label": "waits"}, {"size": 16, "label": "waits too"})
    experiment = Experiment("fake", shared, variations=kinds)
    cluster.add()
    lab = Lab(home)
    quick, stopped, discarded = lab.sweep(
        experiment, executor="ray", address=cluster.client
    ).enqueue()
    lab.supervise()
    until(lambda: len(stopped.events()) == len(discarded.events()) == 301)
    stopped.stop()
    discarded.stop(keep=False)
    assert stopped.wait(timeout=60).state == "stopped"
    assert numbers(stopped.folder) == list(range(1, 303))
    until(lambda: not discarded.folder.exists())
    assert quick.wait(timeout=240).state == "finished"
    assert numbers(quick.folder) == list(range(1, 303))
    assert quick.status().device.startswith("ray:")
    assert (quick.folder / "made.bin").stat().st_size == 300
    stopped.delete()
    lab.close()

    status, _, text = mtlab(
        "sweep", "paper/size", "--executor", "ray", "--address", cluster.address, "--gpus", "1"
    )
    assert status == 2 and text.startswith("mtlab: gpus: 1 GPU for each run cannot be had"), text
    assert len(text.strip().splitlines()) == 1
    assert [run.id for run in lab.runs()] == [quick.id]


def test_a_run_that_ended_unwatched_holds_no_place_and_is_fetched_later(cluster, scratch, home):
    shared = {"base": "nano", "train": ["de-en"], "size": 4, "training": {"steps": 300}}
    until(lambda: held_places(cluster) == 0)  # the runs of the test before are gone
    lab = Lab(home)
    [run] = lab.sweep(
        Experiment("fake", shared, variations=({"label": "waits"},)),
        executor="ray",
        address=cluster.address,
    ).enqueue()
    lab.supervise()
    until(lambda: len(run.events()) == 301)
    lab.close()
    assert held_places(cluster) == 1
    [there] = (scratch / "jobs").iterdir()
    RunStore(replace(lab.settings, home=there)).request_stop(run.id)
    until(lambda: held_places(cluster) == 0)
    assert run.status().state == "running" and not (run.folder / "made.bin").exists()

    lab = Lab(home)
    lab.supervise()
    assert lab.run(run.id).wait(timeout=60).state == "stopped"
    assert numbers(run.folder) == list(range(1, 303))
    assert (run.folder / "made.bin").stat().st_size == 300
    until(lambda: list((scratch / "jobs").iterdir()) == [])
    assert run.status().attempts == 1
    lab.close()
