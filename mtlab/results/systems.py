"""What is compared: a run's own translations, or those of the untuned base it began from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mtlab.errors import InputError
from mtlab.results.evidence import Evidence
from mtlab.results.labels import base_label, trained_on
from mtlab.spec import Noise, RunSpec

UNTUNED = "base:"
"""Before a run's id, it means the untuned base that was scored beside that run."""


@dataclass(frozen=True)
class System:
    """A system whose translations are compared.

    Attributes:
        runs: runs that differ in nothing but their seed, one per seed; the first one is shown.
        untuned: the untuned base they began from in their place.
    """

    runs: tuple[Evidence, ...]
    untuned: bool = False

    @property
    def run(self) -> Evidence:
        """The run that is shown."""
        return self.runs[0]

    @property
    def id(self) -> str:
        """What it is chosen by: `run`, or `base:run`."""
        return f"{UNTUNED}{self.run.id}" if self.untuned else self.run.id


def system_of(chosen: str, runs: Mapping[str, Evidence]) -> System:
    """The system with an id.

    Args:
        chosen: as `System.id` writes it.
        runs: finished runs, by id.

    Raises:
        InputError: no such run, or one whose base was not scored.
    """
    run_id = chosen.removeprefix(UNTUNED)
    if run_id not in runs:
        raise InputError(
            f"there is no finished run '{run_id}'", field="Systems", fix="choose another"
        )
    system = System((runs[run_id],), untuned=chosen.startswith(UNTUNED))
    if system.untuned and not runs[run_id].spec.score_base:
        raise InputError(
            f"the untuned base of run {run_id} was not scored",
            field="Systems",
            fix="choose the base of a run that scored it (score_base)",
        )
    return system


def untuned_bases(runs: Iterable[Evidence]) -> list[System]:
    """The untuned bases that runs were scored beside, each once.

    Runs that ask the same of the same base got the same translations: the first one stands for it.
    """
    found: dict[tuple[object, ...], System] = {}
    for run in runs:
        if run.spec.score_base:
            found.setdefault(_same_base(run.spec), System((run,), untuned=True))
    return list(found.values())


def untuned_beside(run: Evidence, bases: Iterable[System]) -> System | None:
    """The untuned base of a run among `untuned_bases`; None where it was not scored."""
    wanted = _same_base(run.spec)
    return next((one for one in bases if _same_base(one.run.spec) == wanted), None)


def _same_base(spec: RunSpec) -> tuple[object, ...]:
    """What decides a base's translations and what they are tested on."""
    tested = frozenset(map(str, spec.tested))
    sampled = spec.seed if spec.decoding.strategy == "sample" else None
    return (
        spec.base, spec.revision, spec.template, spec.decoding, spec.test_corpus or spec.corpus,
        spec.test_limit, tested, sampled, frozenset(spec.metrics),
    )  # fmt: skip


def system_names(systems: Sequence[System]) -> list[str]:
    """A short name for each: how much it learnt from, and what else they differ in; no two alike.

    A name that a person gave a run is its name.
    """
    unnamed = [system for system in systems if not system.untuned and not system.run.spec.name]
    telling = [tell for tell in _TELLING if len({tell(system.run.spec) for system in unnamed}) > 1]
    names = []
    for system in systems:
        name = _first_name(system)
        more = [tell(system.run.spec) for tell in telling] if system in unnamed else []
        names.append(", ".join([name, *(text for text in more if text and text not in name)]))
    names = _told_apart(names, [f"seed {system.run.spec.seed}" for system in systems])
    return _told_apart(names, [system.id for system in systems])


def _told_apart(names: Sequence[str], values: Sequence[str]) -> list[str]:
    """The names with a value behind those that stand for several of its values."""
    behind: dict[str, set[str]] = {}
    for name, value in zip(names, values, strict=True):
        behind.setdefault(name, set()).add(value)
    return [
        f"{name}, {value}" if len(behind[name]) > 1 else name
        for name, value in zip(names, values, strict=True)
    ]


def _first_name(system: System) -> str:
    spec = system.run.spec
    if system.untuned:
        return f"{base_label(spec.base)} untuned"
    if spec.name:
        return spec.name
    return spec.amount if spec.training.trains else f"{base_label(spec.base)}, {spec.amount}"


def noise_label(noise: Noise) -> str:
    """Noise in words: `clean`, or `word noise on the target, 50%`."""
    if not noise.active:
        return "clean"
    ratio = "" if noise.ratio == 1 else f", {noise.ratio:.0%}"
    side = "both sides" if noise.side == "both" else f"the {noise.side}"
    return f"{noise.kind} noise on {side}{ratio}"


def _trained_on(spec: RunSpec) -> str:
    return trained_on(" ".join(sorted(map(str, spec.train)))) if spec.train else ""


_TELLING: tuple[Callable[[RunSpec], str], ...] = (
    lambda spec: base_label(spec.base),
    _trained_on,
    lambda spec: noise_label(spec.noise) if spec.training.trains else "",
    lambda spec: str(spec.training.method),
)
"""What is said of systems that differ in it."""
