"""How long until something can be seen: the page after `make app`, the first step after Launch.

    python -m benchmarks.startup

From the start of `python app.py` to an answer of the page over HTTP, in a home that is there; and
from `Lab.launch` to the event of the first training step, nano and 32 pairs, where the untuned
base's translations are kept: with a process of its own, and with one that stood ready. Medians of
five.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

from mtlab import Lab, RunSpec
from mtlab.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SPEC = RunSpec(
    size=32, train=("de-en",), test_limit=16, metrics=("bleu", "chrf"), training={"steps": 3}
)
READY_SECONDS = 30.0


def app_seconds(home: Path) -> float:
    """From the start of the app to its page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "MTLAB_HOME": str(home), "PORT": str(port)}
    began = time.perf_counter()
    app = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    answer.read()
                return time.perf_counter() - began
            except (urllib.error.URLError, OSError):
                if app.poll() is not None:
                    raise RuntimeError("the app ended") from None
                time.sleep(0.01)
    finally:
        app.terminate()
        app.wait()


def launch_seconds(lab: Lab, seed: int) -> dict[str, float]:
    """From the launch of a run to the beginning of its phases and to its first step."""
    began = time.time()
    run = lab.launch(SPEC.with_changes(seed=seed))
    run.wait()
    found: dict[str, float] = {}
    for event in run.events():
        name = event.get("phase") if event.kind == "phase" else event.kind
        if event.kind in ("phase", "step"):
            found.setdefault(str(name), event.time - began)
    return found


def ready_seconds(lab: Lab, seed: int) -> dict[str, float]:
    """The same with a process that stands ready."""
    lab.expect(lab.preview(SPEC).spec)
    until = time.monotonic() + READY_SECONDS
    time.sleep(1.0)
    # It is ready when it has loaded everything, and from then on uses no processor time.
    before = -1.0
    while time.monotonic() < until and (now := _spare_seconds()) != before:
        before = now
        time.sleep(1.0)
    return launch_seconds(lab, seed)


def _spare_seconds() -> float:
    import psutil

    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if "--spare" in child.cmdline():
                times = child.cpu_times()
                return float(times.user + times.system)
    raise RuntimeError("no process stands ready: is there too little memory?")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        app_seconds(home)  # makes the home, and fills the system's file cache
        _print("app to page", [app_seconds(home) for _ in range(times)])
        settings = replace(Settings.from_environment(), home=home)
        cold = Lab(replace(settings, spare_minutes=0))
        launch_seconds(cold, 0)  # keeps the base's translations
        _table(
            "launch, a process of its own", [launch_seconds(cold, n) for n in range(1, times + 1)]
        )
        cold.close()
        warm = Lab(replace(settings, spare_minutes=10))
        warm.supervise()
        _table("launch, one that stood ready", [ready_seconds(warm, n) for n in range(times)])
        warm.close()


def _table(name: str, rows: list[dict[str, float]]) -> None:
    _print(f"{name}, to the first step", [row["step"] for row in rows])
    for phase in rows[0]:
        middle = statistics.median(row[phase] for row in rows)
        print(f"    to {phase}: {middle:.2f} s")


def _print(name: str, seconds: list[float]) -> None:
    middle = statistics.median(seconds)
    print(f"{name}: {middle:.2f} s ({min(seconds):.2f} to {max(seconds):.2f})", flush=True)


if __name__ == "__main__":
    main()
