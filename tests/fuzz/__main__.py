"""`python -m tests.fuzz TARGET [COUNT]`: so many inputs, in a process whose memory is its own.

Ends with an error at the first input that is answered with anything but a clear sentence, or not
within seconds, or when all took more than 1 GiB.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import tempfile
import unicodedata
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from mtlab.errors import MtlabError  # noqa: E402
from mtlab.runs.reporting import peak_memory_mb  # noqa: E402
from tests.fuzz.targets import target  # noqa: E402

COUNT = 10_000
EACH = 10  # inputs from one seed: choosing a seed costs more than making an input
HANGS = 30  # seconds for all of one seed
LONGEST_SENTENCE = 3_000
MOST_MB = (1 << 30) / 1e6


def check_sentence(error: MtlabError) -> None:
    said = str(error)
    assert said.strip() and len(said) <= LONGEST_SENTENCE, (len(said), said[:300])
    assert not any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") for one in said), ascii(
        said
    )
    assert "Traceback" not in said and "mtlab/" not in said, said


def fuzz(name: str, count: int) -> dict[str, int]:
    """How many inputs were taken, and how many were refused with a sentence."""
    tally = {"taken": 0, "refused": 0}

    def hung(number: int, frame: object) -> None:
        raise TimeoutError(f"{EACH} inputs took more than {HANGS} s")

    signal.signal(signal.SIGALRM, hung)
    # Each input is a file; in memory where there is such a place, for a disk takes far longer.
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder, target(name, Path(folder)) as once:

        @settings(
            max_examples=-(-count // EACH), deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck), phases=(Phase.generate,),
        )  # fmt: skip
        @given(st.integers(0, 2**64 - 1))
        def every(seed: int) -> None:
            signal.alarm(HANGS)
            chance = random.Random(seed)
            try:
                for _ in range(EACH):
                    try:
                        once(chance)
                        tally["taken"] += 1
                    except MtlabError as error:
                        check_sentence(error)
                        tally["refused"] += 1
            finally:
                signal.alarm(0)

        every()
    return tally


def main() -> int:
    logging.getLogger("mtlab").addHandler(logging.StreamHandler(sys.stderr))
    name = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else COUNT
    tally = fuzz(name, count)
    peak = peak_memory_mb()
    assert peak < MOST_MB, f"{peak:,.0f} MB were needed"
    assert sum(tally.values()) >= count and all(tally.values()), tally
    print(f"{name}: {tally['taken']:,} taken, {tally['refused']:,} refused, {peak:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
