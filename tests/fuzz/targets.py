"""What is fuzzed: each target takes a source of chance and does one thing with one broken input."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.fuzz.inputs import CODES, broken, lines_of_json, mangled, text, value

Target = Callable[[random.Random], object]

SPEC: dict[str, Any] = {
    "name": "x", "group": None, "base": "nano", "revision": None, "corpus": "everyday", "size": 8,
    "train": ["de-en", "en-de"], "balance": "balanced", "reverse": 0.5,
    "noise": {"kind": "word", "side": "target", "ratio": 0.5, "language": None},
    "training": {"method": "lora", "steps": 3, "learning_rate": 0.001, "lora_targets": ["q_proj"]},
    "decoding": {"strategy": "beam", "beams": 2, "max_new_tokens": 16},
    "test": ["de-en"], "test_limit": 4, "metrics": ["bleu", "chrf"], "template": "{source} =",
    "probe_size": 4, "score_base": True, "seed": 1,
}  # fmt: skip
YAML = b"""name: mine/reverse
spec: {base: nano, train: [de-en], test: [de-en, en-de], size: 8}
axes: {size: [64, all], reverse: [0, 0.05]}
variations:
  - {label: clean}
  - {label: noisy, noise.kind: word}
  - &again {label: again, base: "run:@clean"}
seeds: 3
"""
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (this, this, b",".join([b"*%c" % (this - 1)] * 9))
    for this in range(ord("b"), ord("k"))
)  # fmt: skip
TABLES = {
    ".tsv": b"de\ten\nDas Haus.\tThe house.\nJa.\tYes.\nNein.\tNo.\n",
    ".csv": b'de,en\n"Das, Haus.",The house.\nJa.,"Y""es"\nNein.,No.\n',
    ".jsonl": b'{"de": "Ja.", "en": "Yes."}\n{"translation": {"de": "Nein.", "en": "No."}}\n'
    b'{"source": "x", "target": "y", "direction": "de-en"}\n',
}
EVENTS: list[dict[str, Any]] = [
    {"seq": 1, "time": 1.5, "kind": "phase", "phase": "train"},
    {"seq": 2, "time": 2.5, "kind": "step", "step": 1, "steps": 4, "loss": 2.0},
    {"seq": 3, "time": 3, "kind": "probe", "step": 1, "steps": 4, "bleu": 1.0, "directions": {}},
    {"seq": 4, "time": 4, "kind": "end", "state": "finished"},
]
SEGMENTS: list[dict[str, Any]] = [
    {"index": 0, "source": "Ja.", "reference": "Yes.", "hypothesis": "Yes.", "failures": [],
     "language": None, "base": "Ja", "base_failures": ["copy"], "scores": {"chrf": 100.0}},
    {"index": 1, "source": "Nein.", "reference": "No.", "hypothesis": "", "failures": ["empty"],
     "language": "de", "base": "No", "base_failures": [], "scores": {"chrf": 0.0}},
]  # fmt: skip
STATUS: dict[str, Any] = {
    "id": "20260101-000000-abcd", "state": "finished", "phase": "score", "progress": 1.0,
    "seconds": {"train": 2.0}, "needs": [], "halved": [], "owner": None, "created": 1.0,
}  # fmt: skip


@contextmanager
def target(name: str, folder: Path) -> Iterator[Target]:
    """A target by its name, with a folder of its own."""
    with TARGETS[name](folder) as made:
        yield made


@contextmanager
def specs(folder: Path) -> Iterator[Target]:
    """A spec's plain values; whatever is accepted makes the whole round."""
    from mtlab.commands import command_for
    from mtlab.runs.remote import refuse_files
    from mtlab.spec import RunSpec

    def once(rng: random.Random) -> None:
        spec = RunSpec.from_json(broken(SPEC, rng) if rng.random() < 0.95 else value(rng))
        assert RunSpec.from_json(spec.to_json()) == spec
        command_for(spec)
        refuse_files(spec)

    yield once


@contextmanager
def yaml_files(folder: Path) -> Iterator[Target]:
    """A file with a sweep or a spec."""
    from mtlab.experiments import Experiment
    from mtlab.settings import Settings
    from mtlab.spec import RunSpec

    path = folder / "mine.yaml"
    settings = Settings.from_environment({"MTLAB_HOME": str(folder / "home")})

    def once(rng: random.Random) -> None:
        sound = YAML if rng.random() < 0.98 else BOMB + YAML.replace(b"[de-en]", b"*j", 1)
        path.write_bytes(mangled(sound, rng).replace(b"[" * 300, b""))
        if rng.random() < 0.8:
            Experiment.from_yaml(path).steps(settings)
        else:
            RunSpec.from_yaml(path)

    yield once


@contextmanager
def uploads(folder: Path) -> Iterator[Target]:
    """A table or two aligned files, as a browser or a person brings them."""
    from mtlab.corpora.files import read_aligned, read_table
    from mtlab.corpora.own import divide
    from mtlab.spec import Direction

    way = Direction.parse("de-en")
    paths = {suffix: folder / f"mine{suffix}" for suffix in TABLES}
    sides = (folder / "a.de", folder / "a.en")

    def once(rng: random.Random) -> None:
        given = rng.choice((None, way, way.reversed()))
        if rng.random() < 0.2:
            for side in sides:
                side.write_bytes(mangled(b"Ja.\nNein.\nDas Haus ist rot.\n", rng))
            rows = read_aligned(*sides, way, 1)
        else:
            suffix = rng.choice(list(TABLES))
            paths[suffix].write_bytes(mangled(TABLES[suffix], rng))
            rows = read_table(paths[suffix], given, 1)
        for row in rows.values():
            assert all(one.strip() and "\x00" not in one for one in row.values())
            assert len(row) >= 2
        divide(rows, "both")

    yield once


@contextmanager
def word_lists(folder: Path) -> Iterator[Target]:
    """A dictionary, a list of terms, somebody's outputs."""
    from mtlab.noise.dictionary import dictionary
    from mtlab.noise.jargon import _terms_for
    from mtlab.runs.outputs import read_outputs
    from mtlab.spec import Direction, RunSpec

    way = Direction.parse("de-en")
    path = folder / "de-en.txt"
    spec = RunSpec(
        base=f"outputs:{path}", test=("de-en",), training={"method": "none"}, metrics=("bleu",)
    )

    def once(rng: random.Random) -> None:
        which = rng.randrange(3)
        path.write_bytes(mangled(b"haus house\nja\tyes\nde\tDas Wort\n", rng))
        if which == 0:
            dictionary(f"{path}{rng.choice(('', ':de-en', ':en-de', ':fr-en'))}", way)
        elif which == 1:
            _terms_for("de", str(path))
        else:
            read_outputs(spec, way, 3)

    yield once


@contextmanager
def run_files(folder: Path) -> Iterator[Target]:
    """The files of a run, as a crash, a full disk or a hand may leave them."""
    from mtlab.results.evidence import Evidence, Reader
    from mtlab.results.reading import read_scores, read_segments, summary_of
    from mtlab.runs.events import EventLog
    from mtlab.runs.files import read_lines
    from mtlab.runs.folders import RunFolders
    from mtlab.runs.settling import settled, stop_request
    from mtlab.spec import Direction, RunSpec

    run = str(STATUS["id"])
    place = folder / "runs" / run
    (place / "translations").mkdir(parents=True)
    way = Direction.parse("de-en")
    evidence = Evidence(run, RunSpec(train=("de-en",)), place)

    def once(rng: random.Random) -> None:
        which = rng.randrange(4)
        if which == 0:
            path = place / "events.jsonl"
            path.write_bytes(mangled(lines_of_json(EVENTS, rng), rng))
            log = EventLog(path)
            events = log.read()
            assert [one.seq for one in events] == sorted({one.seq for one in events})
            log.read(rng.choice((0, 1, 2, 10)))
        elif which == 1:
            path = place / "translations" / "de-en.jsonl"
            path.write_bytes(mangled(lines_of_json(SEGMENTS, rng), rng))
            assert all(isinstance(row, dict) for row in read_lines(path))
            read_segments(place, way)
            segments = Reader().segments(evidence, way, untuned=rng.random() < 0.5)
            assert all(isinstance(one, str) for one in segments.hypotheses)
        elif which == 2:
            path = place / "status.json"
            path.write_bytes(mangled(lines_of_json([STATUS], rng), rng))
            status = RunFolders(folder / "runs").status(run)
            if status is not None:
                settled(status, place, EventLog(place / "events.jsonl"))
                assert isinstance(status.sentence, str)
                summary_of(place, status)
        else:
            (place / "scores.json").write_bytes(
                mangled(b'{"scores": {"de-en": {"bleu": {"value": 1}}}, "base": {}}', rng)
            )
            read_scores(place)
            (place / "stop.json").write_bytes(mangled(b'{"keep": true, "time": 1.5}', rng))
            stop_request(place)

    yield once


@contextmanager
def endpoints(folder: Path) -> Iterator[Target]:
    """The functions behind the HTTP API, up to where a model would be loaded or a run written."""
    import gradio as gr

    from mtlab.errors import InputError
    from mtlab.lab import Lab
    from mtlab.runs.checking import completed
    from mtlab.settings import Settings
    from mtlab.ui import build

    class Unlaunched(Lab):
        def launch(self, spec: Any, *, device: str | None = None) -> Any:
            return SimpleNamespace(id=completed(spec, self.store)[0].base)

        def translate(self, model: str, sources: Any, direction: Any) -> Any:
            return [SimpleNamespace(text=sources[0], ended=True, tokens=1, note=None)]

        def supervise(self) -> None:
            pass

    settings = Settings.from_environment(
        {"MTLAB_HOME": str(folder / "home"), "MTLAB_TRANSLATIONS_A_MINUTE": "0"}
    )
    page = build(Unlaunched(settings))
    found = {fn.api_name: fn.fn for fn in page.fns.values() if fn.api_visibility == "public"}
    assert set(found) == {"launch", "status", "results", "translate", "score"}
    visits = 0

    def once(rng: random.Random) -> None:
        nonlocal visits
        visits += 1
        guest = SimpleNamespace(
            session_hash=str(visits), client=SimpleNamespace(host=f"h{visits}"), request=None
        )
        which = rng.choice(("launch", "launch", "status", "results", "translate", "score"))
        if which == "launch":
            arguments = [broken(SPEC, rng)]
        elif which in ("status", "results"):
            arguments = [value(rng)]
        elif which == "translate":
            direction = f"{rng.choice(CODES)}-{rng.choice(CODES)}"
            sound = [text(rng), direction, "nano"]
            arguments = [guest, *(broken(sound, rng, 1) if rng.random() < 0.5 else sound)]
            arguments = arguments[:4] + [value(rng)] * (3 - len(arguments))
        else:
            sound = ["de-en", ["Ja.", "Nein."], {"a": ["Yes.", "No."]}, ["Yes.", "No."], ["chrf"]]
            for _ in range(rng.choice((1, 1, 2))):
                sound[rng.randrange(5)] = broken(sound[rng.randrange(5)], rng, 1)
            arguments = [guest, *sound]
        try:
            found[which](*arguments)
        except gr.Error as error:
            said = str(error.message)
            assert "Something went wrong" not in said, (which, arguments)
            raise InputError(said) from None

    yield once


TARGETS = {
    "specs": specs,
    "yaml_files": yaml_files,
    "uploads": uploads,
    "word_lists": word_lists,
    "run_files": run_files,
    "endpoints": endpoints,
}
