"""What the form's values would do, before anything runs: looked at with every key typed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mtlab.commands import command_for
from mtlab.errors import InputError, MtlabError, NotAvailable
from mtlab.experiments import Experiment, grid_of
from mtlab.experiments.typed import seeds_in_words
from mtlab.lab import Lab, Preview
from mtlab.spec import RunSpec
from mtlab.ui.form import BLANK, PATHS, field_named, problems_of, seeds_from_form
from mtlab.ui.launch.advanced import ADVANCED

SWEEP_FILE = "sweep.yaml"
"""What the file with a sweep is called in the command that runs it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outlook:
    """What the form would do.

    Attributes:
        values: the form's values.
        spec: the spec they make; None where they make none.
        seeds: the seeds it is run with.
        preview: of the spec; None where there is none.
        problems: what is wrong, by the form's field; under "" what belongs to none.
    """

    values: Mapping[str, Any]
    spec: RunSpec | None = None
    seeds: tuple[int, ...] = ()
    preview: Preview | None = None
    problems: Mapping[str, MtlabError] = field(default_factory=dict)

    @property
    def experiment(self) -> Experiment | None:
        """The sweep that several seeds make."""
        if self.spec is None or len(self.seeds) < 2:
            return None
        return grid_of(self.spec, {}, self.seeds)

    @property
    def command(self) -> str:
        """The same as a command; empty where there is nothing to run."""
        if self.spec is None:
            return ""
        return command_for(self.spec) if self.experiment is None else f"mtlab sweep {SWEEP_FILE}"

    @property
    def yaml(self) -> str:
        """The same as a file for `mtlab run` or `mtlab sweep`."""
        if self.spec is None:
            return ""
        return (self.experiment or self.spec).to_yaml()

    def notes(self) -> dict[str, dict[str, str]]:
        """What is said beside the fields: problems, hints and the defaults for this run."""
        said = {name: MtlabError.sentence(error) for name, error in self.problems.items() if name}
        if self.preview is None:
            return {"problems": said}
        spec, memory = self.preview.spec, self.preview.memory
        if memory.fits is False:
            said["base"] = memory.sentence
        hints = {}
        if self.values["size"].strip().lower() == "all":
            hints["size"] = f"{spec.size:,} pairs"
        if len(self.seeds) > 1:
            hints["seed"] = seeds_in_words(self.seeds)
        if self.values["method"] == "default":
            hints["method"] = f"Here: {spec.training.method}"
        if not self.values["test"]:
            hints["test"] = f"As trained: {', '.join(map(str, spec.tested))}"
        return {"problems": said, "hints": hints, "defaults": _defaults(spec)}


def outlook(lab: Lab, values: Mapping[str, Any]) -> Outlook:
    """Look at the form; whatever is wrong is told and never raised."""
    try:
        spec, problems = problems_of(values, lab.settings)
        if spec is None:
            return Outlook(values, problems=problems)
        try:
            seen = Outlook(values, spec, seeds_from_form(values), lab.preview(spec))
            if seen.preview is not None:
                lab.expect(seen.preview.spec)
            return seen
        except InputError as error:
            return Outlook(values, problems={field_named(error.field): error})
    except NotAvailable as error:
        return Outlook(values, problems={"": error})
    except Exception:  # noqa: BLE001 - a form without a preview can still be launched from
        _log.exception("the preview failed")
        fault = MtlabError("the preview failed inside the lab", fix="see the app's log")
        return Outlook(values, problems={"": fault})


def _defaults(spec: RunSpec) -> dict[str, str]:
    """What the empty fields under Advanced come to in a complete spec."""
    data: dict[str, Any] = spec.to_json()
    found = {}
    for name in ADVANCED:
        if BLANK[name] != "":
            continue
        value: Any = data
        for key in PATHS[name].split("."):
            value = value[key]
        if isinstance(value, float):
            found[name] = f"{value:g}"
        elif value is not None and not isinstance(value, bool | list):
            found[name] = str(value)
    return found
