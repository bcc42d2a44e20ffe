"""What a run takes along to a node, and what it may not."""

import json

import pytest

from mtlab import RunSpec
from mtlab.cluster.courier import send
from mtlab.cluster.far import call
from mtlab.cluster.luggage import at_home, check_travels, pack
from mtlab.errors import InputError
from mtlab.runs.files import write_json

CORPUS = "".join(f"Satz {n}\tsentence {n}\n" for n in range(30))


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text("de\ten\n" + CORPUS, encoding="utf-8")
    return path


def spec_of(luggage):
    item = next(item for item in luggage.own if item.name == "spec.json")
    return RunSpec.from_json(json.loads(item.source))


def test_local_files_go_along_and_their_names_come_back(lab, queued, corpus, tiny_model, tmp_path):
    terms = tmp_path / "terms.tsv"
    terms.write_text("Satz\tsentence\n", encoding="utf-8")
    run = queued(
        base=str(tiny_model), corpus=str(corpus), noise={"kind": "jargon", "terms": str(terms)}
    )
    luggage = pack(run, lab.store, "/node")
    spec = spec_of(luggage)
    for name, here in ((spec.base, tiny_model), (spec.corpus, corpus), (spec.noise.terms, terms)):
        assert name.startswith("/node/shared/") and at_home(name, luggage.places) == str(here)
    assert at_home(f"no file {spec.corpus}:3", luggage.places) == f"no file {corpus}:3"
    names = {item.name for folder in luggage.shared for item in folder.items}
    assert {"0/mine.tsv", "0/terms.tsv", "config.json", "model.safetensors"} <= names
    assert (
        spec.with_changes(
            base=str(tiny_model),
            corpus=str(corpus),
            test_corpus=str(corpus),
            noise__terms=str(terms),
        )
        == run.spec
    )


def test_what_a_bundled_base_needs_is_on_the_node(lab, queued):
    luggage = pack(queued(), lab.store, "/node")
    assert luggage.shared == [] and {item.name for item in luggage.own} == {
        "spec.json", "provenance.json",
    }  # fmt: skip


def test_a_run_takes_along_what_it_goes_on_from(lab, queued, tiny_model):
    first = queued(base=str(tiny_model))
    (first.folder / "adapter").mkdir()
    write_json(first.folder / "adapter" / "adapter_config.json", {})
    second = queued(base=f"run:{first.id}")
    (second.folder / "adapter").mkdir()
    write_json(second.folder / "adapter" / "adapter_config.json", {"r": 8})
    luggage = pack(queued(base=f"run:{second.id}"), lab.store, "/node")
    runs = {folder.run: {item.name for item in folder.items} for folder in luggage.shared}
    assert set(runs) == {first.id, second.id, None}
    assert {"spec.json", "status.json", "adapter/adapter_config.json"} <= runs[first.id]


def test_a_resumed_run_takes_along_what_it_has(lab, queued, near_jobs):
    run = queued()
    for step in (2, 4, 6):
        place = run.folder / f"checkpoint-{step}"
        place.mkdir()
        for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "model.safetensors"):
            (place / name).write_bytes(bytes(step))
        write_json(place / "trainer_state.json", {"global_step": step})
    (run.folder / "checkpoint-6" / "optimizer.pt").unlink()  # torn
    lab.store.log(run.id).append("note", text="from the first attempt")
    (run.folder / "job.log").write_text("stays")
    job = near_jobs.hire("a.1", run.id, None)
    luggage = pack(run, lab.store, call(job, "hello")["root"])
    send(job, luggage, lambda: None)
    there = {
        path.relative_to(job.job._folder).as_posix()
        for path in job.job._folder.rglob("*")
        if path.is_file()
    }
    assert {name.partition("/")[0] for name in there} == {
        "spec.json", "provenance.json", "events.jsonl", "checkpoint-4",
    }  # fmt: skip
    job.asked.clear()
    send(job, luggage, lambda: None)  # all of it is there
    assert [method for method, _ in job.asked] == ["lacking"]


def test_a_folder_is_sent_to_a_node_once(lab, queued, near_jobs, tiny_model):
    runs = [queued(base=str(tiny_model), seed=seed) for seed in (0, 1)]
    taken = []
    for number, run in enumerate(runs):
        job = near_jobs.hire(f"{number}.1", run.id, None)
        send(job, pack(run, lab.store, call(job, "hello")["root"]), lambda: None)
        taken.append([one[1][0] for one in job.asked if one[0] == "take"])
    assert any(name.endswith("model.safetensors") for name in taken[0])
    assert sorted(taken[1]) == ["own/provenance.json", "own/spec.json"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"base": "outputs:mine.txt"}, "^base: a file of outputs is scored where it lies"),
        ({"base": "/models/opus-{source}-{target}"}, "^base: folders with languages"),
        ({"comet_model": __file__}, "^comet_model: a COMET model in a file"),
    ],
)
def test_what_cannot_travel(fields, says):
    method = {"training": {"method": "none"}, "train": ()} if "base" in fields else {}
    spec = RunSpec(**{"base": "nano", "train": ("de-en",), "test": ("de-en",), **fields, **method})
    with pytest.raises(InputError, match=says):
        check_travels(spec)
