"""The command line: one function per verb, no logic of its own.

Every verb takes `--json`, which prints one JSON object on the last line. Exit status: 0 done,
1 the run failed, 2 bad input.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from mtlab.cli.parser import build_parser
from mtlab.errors import InputError, MtlabError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    try:
        args = build_parser().parse_args(arguments)
        status: int = args.verb(args)
        return status
    except MtlabError as error:
        print(f"mtlab: {error}", file=sys.stderr)
        if as_json:
            print(json.dumps({"error": error.to_json()}, ensure_ascii=False))
        return 2 if isinstance(error, InputError) else 1
    except BrokenPipeError:
        return _reader_went_away()
    except KeyboardInterrupt:
        print("mtlab: interrupted", file=sys.stderr)
        return 130


def _reader_went_away() -> int:
    """`mtlab runs list | head`: nothing is wrong, and Python must not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
