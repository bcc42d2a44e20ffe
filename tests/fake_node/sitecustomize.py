"""Python begins with this on a cluster's nodes in tests: a run whose group is `fake` only pretends.

It tells of as many steps as its spec has and then ends; with a name it first waits to be stopped.
"""

import os
import sys


def pretend() -> None:
    from pathlib import Path

    from mtlab.runs.files import read_json
    from mtlab.runs.job import StopWish
    from mtlab.runs.reporting import Reporter
    from mtlab.runs.status import Status

    folder = Path(sys.orig_argv[3])
    spec = read_json(folder / "spec.json")
    if spec["group"] != "fake":
        return
    import time

    wish = StopWish(folder)
    reporter = Reporter(folder, Status.from_json(read_json(folder / "status.json")))
    steps = spec["training"]["steps"]
    with reporter.phase("train"):
        for step in range(1, steps + 1):
            reporter.emit("step", step=step, steps=steps, loss=1.0 / step)
        while spec["name"] and not wish():
            time.sleep(0.02)
    (folder / "made.bin").write_bytes(bytes(steps))
    reporter.end("stopped" if spec["name"] else "finished")
    os._exit(0)


if sys.orig_argv[1:3] == ["-m", "mtlab.runs.job"]:
    pretend()
