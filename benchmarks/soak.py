"""A lab under load: open pages, visitors who translate, a run that trains, a full store.

    python -m benchmarks.soak [--minutes 10] [--pages 50] [--translators 10] [--runs 500]

The app is its own process over a temporary home of made-up finished runs. One run trains all the
time: first by itself, then with the load, then by itself again, so that the machine's own mood is
seen. Pages and translators speak to the app as a browser does (`benchmarks.visitors`), from a
process of their own, and each polls as often as the app asks it to. What is held:

    no error; 95% of polls answered within 250 ms; training slowed by less than 15%; the app's
    memory grows by less than 5% after the first fifth of the time; nothing is lost
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import httpx
import psutil

from benchmarks.page import app_of
from benchmarks.store import fill
from benchmarks.visitors import Refused, opened
from mtlab import Lab, RunSpec
from mtlab.runs.events import EventLog
from mtlab.settings import Settings
from tests.browser import served_lab

POLL_SECONDS = 0.25
SLOWDOWN = 0.15
GROWTH = 0.05
_ALONE_SECONDS = 60.0
_BETWEEN_TRANSLATIONS = 20.0
_TAUGHT = RunSpec(
    base="nano", size=32, train=["de-en"], test=["de-en"], test_limit=8, probe_size=0,
    score_base=False, name="the system that translates",
)  # fmt: skip
_TRAINED = _TAUGHT.with_changes(
    size=256, name="the run that trains", training__steps=10_000, training__checkpoint_steps=1000
)
_SOURCES = ("Wo ist der Bahnhof?", "Das Haus ist rot.", "Ich lese heute ein Buch.", "Es regnet.")


_Made = TypeVar("_Made")


@dataclass
class Load:
    """What the visitors met with.

    Attributes:
        polls: seconds each took.
        translations: seconds each took.
        errors: what was answered in their place.
    """

    polls: list[float] = field(default_factory=list)
    translations: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main() -> int:
    """Measure and print; exit status 1 when something is not held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--translators", type=int, default=10)
    parser.add_argument("--runs", type=int, default=500)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings = replace(Settings.from_environment(), home=Path(folder) / "home")
        settings.runs.mkdir(parents=True)
        fill(settings, args.runs)
        with served_lab(settings.home) as address:
            return _measured(settings, address, args)


def _measured(settings: Settings, address: str, args: argparse.Namespace) -> int:
    lab, app = Lab(settings), app_of(settings.home)
    system = lab.launch(_TAUGHT)
    system.wait()
    run = lab.launch(_TRAINED)
    _wait_for_steps(run.folder)
    idle, before = _spent(app, _alone)
    began = time.time()
    busy, (load, memory) = _spent(app, lambda: _under_load(address, (run.id, system.id), app, args))
    during = (began, time.time())
    after = _alone()
    steps = _steps(run.folder)
    run.stop(keep=True)
    ended = run.wait(120)

    alone = statistics.median(_gaps(steps, *before) + _gaps(steps, *after))
    loaded = statistics.median(_gaps(steps, *during))
    slower = loaded / alone - 1
    settled = memory[len(memory) // 5 :]
    third = max(1, len(settled) // 3)
    grown = statistics.median(settled[-third:]) / statistics.median(settled[:third]) - 1
    poll = _percentile(load.polls, 95)
    there = len(lab.runs())
    print(
        f"{args.pages} pages, {args.translators} translators, {args.runs} finished runs, ", end=""
    )
    print(f"{args.minutes:g} minutes")
    rows = [
        ("errors", f"{len(load.errors)}", not load.errors),
        ("polls, p95", f"{1000 * poll:.0f} ms of {len(load.polls):,}", poll < POLL_SECONDS),
        ("training slower by", f"{slower:.1%}", slower < SLOWDOWN),
        ("app's memory grew by", f"{grown:.1%} to {settled[-1]:.0f} MB", grown < GROWTH),
        ("runs there", f"{there} of {args.runs + 2}", there == args.runs + 2),
        ("the run", ended.state, ended.state == "stopped" and run.folder.is_dir()),
    ]
    for name, value, held in rows:
        print(f"  {name:22} {value:24} {'held' if held else 'NOT HELD'}")
    half = statistics.median(load.translations) if load.translations else float("nan")
    print(f"  translations           {len(load.translations)}, median {half:.2f} s")
    print(
        f"  a step: alone {_ms(before, steps)}, loaded {1000 * loaded:.1f}, {_ms(after, steps)} ms"
    )
    print(f"  the app's share of a core: {idle:.1%} with nobody there, {busy:.1%} under the load")
    for error in dict.fromkeys(load.errors):
        print(f"  error: {error}")
    return 0 if all(held for _, _, held in rows) else 1


def _spent(app: psutil.Process, does: Callable[[], _Made]) -> tuple[float, _Made]:
    """The app's processor time while something is done, as a share of a core; and what came of it.

    Unlike the time that a step takes, it does not hang on what else the machine does.
    """
    began, before = time.monotonic(), sum(app.cpu_times()[:2])
    made = does()
    return (sum(app.cpu_times()[:2]) - before) / (time.monotonic() - began), made


def _under_load(
    address: str, runs: tuple[str, str], app: psutil.Process, args: argparse.Namespace
) -> tuple[Load, list[float]]:
    """What the visitors met with, and the app's memory in MB every two seconds."""
    memory = []
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        visits = pool.apply_async(
            visited, (address, runs, args.pages, args.translators, 60 * args.minutes)
        )
        while not visits.ready():
            memory.append(app.memory_info().rss / 1e6)
            visits.wait(2)
        return visits.get(), memory


def visited(
    address: str, runs: tuple[str, str], pages: int, translators: int, seconds: float
) -> Load:
    """Open pages on the first run, and translate with the second, for so long."""
    return asyncio.run(_visited(address, runs, pages, translators, seconds))


async def _visited(
    address: str, runs: tuple[str, str], pages: int, translators: int, seconds: float
) -> Load:
    run, system = runs
    load, until = Load(), time.monotonic() + seconds

    async def watch() -> None:
        async with opened(address, run) as page:
            while time.monotonic() < until:
                await _kept(page.poll, load.polls, load.errors)
                await asyncio.sleep(page.pace)

    async def translate() -> None:
        chance = random.Random()
        async with opened(address) as page:
            while time.monotonic() < until:
                source = chance.choice(_SOURCES)
                ask = lambda: page.call("translate", source, "de-en", system)  # noqa: B023, E731
                await _kept(ask, load.translations, load.errors)
                await asyncio.sleep(chance.uniform(0.5, 1.5) * _BETWEEN_TRANSLATIONS)

    everyone = [*(watch() for _ in range(pages)), *(translate() for _ in range(translators))]
    await asyncio.gather(*(_after(seconds / 10 * random.random(), one) for one in everyone))
    return load


async def _after(seconds: float, visit: Awaitable[None]) -> None:
    """Visitors come one after another; the wait is within the time."""
    await asyncio.sleep(seconds)
    await visit


async def _kept(
    ask: Callable[[], Awaitable[float]], seconds: list[float], errors: list[str]
) -> None:
    try:
        seconds.append(await ask())
    except (Refused, httpx.HTTPError) as error:
        errors.append(f"{type(error).__name__}: {error}")
        await asyncio.sleep(1)


def _wait_for_steps(folder: Path) -> None:
    deadline = time.monotonic() + 120
    while len(_steps(folder)) < 3:
        if time.monotonic() > deadline:
            raise SystemExit(f"the run does not train: {(folder / 'job.log').read_text()}")
        time.sleep(0.5)


def _alone() -> tuple[float, float]:
    began = time.time()
    time.sleep(_ALONE_SECONDS)
    return began, time.time()


def _steps(folder: Path) -> list[float]:
    return [
        event.time for event in EventLog(folder / "events.jsonl").read() if event.kind == "step"
    ]


def _gaps(steps: list[float], begin: float, end: float) -> list[float]:
    """Seconds between the steps of a stretch of time."""
    within = [at for at in steps if begin <= at <= end]
    return [later - at for at, later in zip(within, within[1:], strict=False)]


def _ms(span: tuple[float, float], steps: list[float]) -> str:
    return f"{1000 * statistics.median(_gaps(steps, *span)):.1f}"


def _percentile(values: list[float], share: int) -> float:
    return statistics.quantiles(values, n=100)[share - 1] if len(values) > 1 else float("nan")


if __name__ == "__main__":
    raise SystemExit(main())
