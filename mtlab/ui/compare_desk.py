"""What the Compare tab reads: finished runs as systems, their segments, their families."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mtlab.errors import InputError
from mtlab.lab import Lab
from mtlab.results.across import attempts, families
from mtlab.results.contrasts import Contrasts, contrasts, every_seed
from mtlab.results.evidence import Evidence, Reader, stamp
from mtlab.results.labels import METRICS, base_label
from mtlab.results.side_by_side import SideBySide, side_by_side
from mtlab.results.systems import (
    UNTUNED,
    System,
    system_names,
    system_of,
    untuned_bases,
    untuned_beside,
)
from mtlab.spec import Direction
from mtlab.ui.choosing import finished_choices
from mtlab.ui.compare_across import Opened
from mtlab.ui.compare_form import MOST_SYSTEMS, Choices, Form

_KEPT = 96  # tables of texts, counts and scores; one of 2,000 segments takes about 1 MB


@dataclass(frozen=True)
class Showing:
    """What a visitor is shown, and of when: a file that has changed has another stamp."""

    chosen: tuple[str, ...]
    direction: str
    stamps: tuple[tuple[str, str, int, int], ...]

    @classmethod
    def of(cls, systems: Sequence[System], direction: Direction) -> Showing:
        """What is shown of systems in a direction, now."""
        return cls(
            tuple(system.id for system in systems),
            str(direction),
            tuple(stamp(system.run, direction) for system in systems),
        )


@dataclass
class Latest:
    """What one visitor chose last. It changes: an answer that took long looks whether it still is.

    Attributes:
        chosen: ids of systems.
        showing: what is shown of them; None where nothing can be.
    """

    chosen: tuple[str, ...] = ()
    showing: Showing | None = None


class Desk:
    """One lab's finished runs, and a reader that all visitors share."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.reader = Reader(_KEPT)

    def finished(self) -> list[Evidence]:
        """Finished runs, the newest first."""
        return [
            Evidence(run.id, run.spec, run.folder)
            for run in self._lab.runs()
            if run.status().state == "finished"
        ]

    def choices(self) -> Choices:
        """Every system as (label, id): the untuned bases first, then the runs, newest first."""
        bases = untuned_bases(self.finished())
        names = [f"{base_label(one.run.spec.base)}, untuned" for one in bases]
        labels = [
            f"{name} (beside {base.run.id})" if names.count(name) > 1 else name
            for name, base in zip(names, bases, strict=True)
        ]
        found = [(label, base.id) for label, base in zip(labels, bases, strict=True)]
        return [*found, *finished_choices(self._lab)]

    def beside(self, ids: Sequence[str]) -> list[str]:
        """Runs to compare, with their untuned base beside them where there is room.

        One run is held against its base; of several the first is what the others are held against,
        and its base comes last.

        Raises:
            InputError: one is not finished.
        """
        finished = {run.id: run for run in self.finished()}
        chosen = [system_of(one, finished).id for one in ids[:MOST_SYSTEMS]]
        first = finished[chosen[0]] if chosen and chosen[0] in finished else None
        base = untuned_beside(first, untuned_bases(finished.values())) if first else None
        if base is None or base.id in chosen or len(chosen) == MOST_SYSTEMS:
            return chosen
        return [base.id, *chosen] if len(chosen) == 1 else [*chosen, base.id]

    def systems(self, chosen: Sequence[str]) -> list[System]:
        """The systems chosen.

        Raises:
            InputError: too many, one twice, or one that is not there.
        """
        if len(chosen) > MOST_SYSTEMS or len(set(chosen)) < len(chosen):
            raise InputError(
                f"{len(chosen)} systems are chosen",
                field="Systems",
                fix=f"choose up to {MOST_SYSTEMS}, each once",
            )
        return [system_of(str(one), self._runs_of(str(one))) for one in chosen]

    def _runs_of(self, chosen: str) -> dict[str, Evidence]:
        """The finished run that a system is made of, by its id."""
        run = self._lab.run(chosen.removeprefix(UNTUNED))
        if run.status().state != "finished":
            return {}
        return {run.id: Evidence(run.id, run.spec, run.folder)}

    def still(self, latest: Latest, chosen: Sequence[str]) -> bool:
        """Whether these are the systems that are shown, and their files are as they were."""
        if latest.showing is None:
            return False
        direction = Direction.parse(latest.showing.direction)
        return Showing.of(self.systems(chosen), direction) == latest.showing

    def view(self, showing: Showing) -> tuple[SideBySide, list[str]]:
        """What is shown, and the names of its systems."""
        systems = self.systems(showing.chosen)
        found = side_by_side(systems, Direction.parse(showing.direction), self.reader)
        return found, system_names(systems)

    def contrasts(
        self, systems: Sequence[System], names: Sequence[str], direction: Direction
    ) -> Contrasts:
        """Every system against the first, in every metric that one of them asked for."""
        asked = {metric for system in systems for metric in system.run.spec.metrics}
        metrics = [metric for metric in METRICS if metric in asked]
        return contrasts(systems, names, direction, metrics, self.reader)

    def every_seed(self, view: SideBySide) -> list[System]:
        """The systems with all of their finished seeds."""
        finished, settings = self.finished(), self._lab.settings
        return [
            every_seed(system, finished, view.direction, settings, self.reader)
            for system in view.systems
        ]

    def opened(self, view: SideBySide, form: Form) -> Opened | None:
        """What is shown of the segment that is open; None where none is, or one that is not there.

        A family that is not there any more makes room for the first one.
        """
        if form.opened not in view.numbers:
            return None
        place = view.numbers.index(form.opened)
        found = families(view.systems, self.finished(), view.direction, self._lab.settings)
        family = next((one for one in found if one.key == form.family), next(iter(found), None))
        if family is None:
            return Opened((), None, ())
        made = attempts(
            family, view.sources[place], view.references[place], view.direction, form.metric
        )
        return Opened(found, family, made)
