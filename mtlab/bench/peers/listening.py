"""How a peer listens: a line of JSON in, a line of JSON out, as `mtlab.bench.peer` speaks to it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any


def listen(commands: Mapping[str, Callable[..., Any]]) -> None:
    """Answer until the parent closes the input; what libraries print goes to stderr.

    Args:
        commands: by the name they are asked by; what one raises is answered as the problem.
    """
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in open(0, encoding="utf-8", closefd=False):
        message = json.loads(line)
        command = message.pop("command")
        try:
            with contextlib.redirect_stdout(sys.stderr):
                answer = commands[command](**message)
        except Exception as error:  # the contest says why one takes no part
            told = getattr(error, "sentence", None)  # of the lab's own errors
            text = told() if callable(told) else f"{type(error).__name__}: {error}"
            answer = {"problem": text.splitlines()[0][:300]}
        print(json.dumps(answer), file=channel, flush=True)
