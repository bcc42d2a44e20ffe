"""A preset as it was made in a home: its runs over whole seeds, and the lab's report on them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.replication.verdicts import Tally, tallies
from mtlab import Lab
from mtlab.experiments import PRESETS, Choices, Preset, preset
from mtlab.results.findings import Finding
from mtlab.results.report import Report
from mtlab.runs.files import read_json
from mtlab.runs.status import Status
from mtlab.spec import RunSpec


@dataclass(frozen=True)
class Made:
    """How a run was made.

    Attributes:
        provenance: what the run wrote down of it.
        status: how it ended.
    """

    provenance: Mapping[str, Any]
    status: Status


@dataclass(frozen=True)
class Replica:
    """A preset as it was made in a home.

    Attributes:
        preset: what was asked.
        seeds: those of which every run has finished.
        missing: other seeds with the number of their runs that have finished, of how many.
        report: the lab's own on all of these runs.
        made: how each run of the report was made.
    """

    preset: Preset
    seeds: tuple[int, ...]
    missing: tuple[tuple[int, int, int], ...]
    report: Report
    made: tuple[Made, ...]

    @property
    def file(self) -> str:
        """The page's name without its ending."""
        return self.preset.name.rpartition("/")[2]

    @property
    def base(self) -> str:
        """The base model's name."""
        return self.report.records[0].spec.base

    @property
    def command(self) -> str:
        """What makes these runs."""
        plain = self.seeds == tuple(range(len(self.seeds)))
        seeds = str(len(self.seeds)) if plain else ",".join(map(str, self.seeds))
        base = "" if self.base == "nano" else f" --base {self.base}"
        return f"mtlab sweep {self.preset.name} --seeds {seeds}{base}"

    @property
    def tallies(self) -> list[Tally]:
        """How the findings stand to what the paper showed."""
        specs = {record.id: record.spec for record in self.report.records}
        return tallies(self.preset.name, self.report.findings, specs)

    def system(self, finding: Finding) -> RunSpec:
        """The spec of one of the runs that a sentence is about."""
        return next(r.spec for r in self.report.records if r.id == finding.runs[-1])

    @property
    def days(self) -> str:
        """From when to when it was made."""
        moments = [m for one in self.made for m in (one.status.created, one.status.ended) if m]
        days = sorted(time.strftime("%Y-%m-%d", time.gmtime(moment)) for moment in moments)
        return days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"

    @property
    def hours(self) -> str:
        """How long its runs took, one after another."""
        minutes = sum(sum(one.status.seconds.values()) for one in self.made) / 60
        return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"

    @property
    def bases(self) -> str:
        """The base model with the beginning of its digest."""
        return _each_once(
            f"{self.base}, {str((one.provenance.get('base') or {}).get('digest', '?'))[:12]}"
            for one in self.made
        )

    @property
    def machines(self) -> str:
        """What it was made on."""
        return _each_once(_machine(one.provenance) for one in self.made)

    @property
    def versions(self) -> str:
        """What it was made with."""
        return _each_once(_versions(one.provenance) for one in self.made)


def replica(lab: Lab, name: str, base: str, metric: str) -> Replica | None:
    """A preset's runs and the report on them; None, and a line why, where no seed is whole.

    Raises:
        MtlabError: there is no such base, or its runs do not have the metric.
    """
    seeds = sorted({run.spec.seed for run in lab.runs() if run.spec.base == base})
    whole, missing, ids = [], [], []
    for seed in seeds:
        experiment = preset(name, Choices(base=base, seeds=(seed,)), lab.settings)
        standings = lab.sweep(experiment).standings()
        done = [one.run for one in standings if one.state == "finished" and one.run]
        if len(done) == len(standings):
            whole.append(seed)
            ids += done
        elif done:
            missing.append((seed, len(done), len(standings)))
    if not whole:
        there = [f"seed {seed}: {done} of {total} runs" for seed, done, total in missing]
        print(f"{name}: no seed is whole; {', '.join(there) or 'no run'}", file=sys.stderr)
        return None
    report = lab.report(ids, metric=metric, title=name)
    made = tuple(
        Made(read_json(record.folder / "provenance.json") or {}, lab.run(record.id).status())
        for record in report.records
    )
    return Replica(PRESETS[name], tuple(whole), tuple(missing), report, made)


def _machine(provenance: Mapping[str, Any]) -> str:
    machine = provenance.get("machine") or {}
    parts = [f"{machine['cores']} cores ({machine.get('cpu', '?')})"] if "cores" in machine else []
    parts += [str(machine["system"])] if "system" in machine else []
    return ", ".join([*parts, f"on {provenance.get('device', 'an unknown device')}"])


def _versions(provenance: Mapping[str, Any]) -> str:
    versions = {"Python": provenance.get("python"), **(provenance.get("versions") or {})}
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version)


def _each_once(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))
