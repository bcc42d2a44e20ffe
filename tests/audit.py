"""`python -m tests.audit`: known vulnerabilities of what is installed here; part of `make check`.

A vulnerability that is known fails. Where the advisory service cannot be asked, or does not know a
package, that is said and nothing fails: no answer is not a good one, and not a bad one either.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

_COMMAND = (
    "-m", "pip_audit", "--local", "--skip-editable", "--format", "json",
    "--progress-spinner", "off", "--timeout", "20",
)  # fmt: skip
_SECONDS = 120
_LISTED = 5


def main() -> int:
    """Audit, and say what was found; returns the exit status."""
    try:
        done = subprocess.run(
            [sys.executable, *_COMMAND], capture_output=True, text=True, timeout=_SECONDS
        )
        said, status = judged(done.stdout, done.stderr)
    except subprocess.TimeoutExpired:
        said, status = f"no answer in {_SECONDS} s", 0
    print(f"audit of dependencies: {said}")
    return status


def judged(output: str, errors: str) -> tuple[str, int]:
    """What pip-audit's answer comes to, as a sentence and an exit status."""
    try:
        found: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (errors.strip().splitlines() or ["no answer"])[-1][:300]
        return f"NOT DONE, the advisory service did not answer ({last})", 0
    known = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in "
        f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in found
        for flaw in one.get("vulns", [])
    ]
    if known:
        return "VULNERABLE\n  " + "\n  ".join(known), 1
    asked = [one for one in found if "skip_reason" not in one]
    if not asked:
        return f"NOT DONE, the advisory service knows none of {len(found)} packages", 0
    left_out = [one["name"] for one in found if "skip_reason" in one]
    more = f", and {len(left_out) - _LISTED} more" if len(left_out) > _LISTED else ""
    gap = f"; not known there: {', '.join(left_out[:_LISTED])}{more}" if left_out else ""
    return f"nothing known against {len(asked)} packages{gap}", 0


if __name__ == "__main__":
    sys.exit(main())
