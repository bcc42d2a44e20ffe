"""The lab over HTTP: five endpoints for programs, and nothing else of the page.

    launch      a spec -> a run's id
    status      a run's id -> how it stands
    results     a run's id -> its scores
    translate   a text, a direction, a system -> a hypothesis and what was found of it
    score       sources, references, hypotheses -> scores, failures and comparisons

`docs/api.md` shows how they are called. What comes in is bounded and checked here; a spec from the
network names no file of this machine (`mtlab.runs.remote`). Anyone who reaches the page reaches
these; who may launch is for the lab to say (`mtlab.access`).
"""

# Gradio makes its documentation from the annotations: they stay what they are, no text.
import json
from collections.abc import Mapping
from typing import Any

import gradio as gr

from mtlab.errors import InputError
from mtlab.lab import Lab, Run
from mtlab.results.showing import checked_text
from mtlab.runs.remote import refuse_files
from mtlab.runs.status import Status
from mtlab.spec import Direction, RunSpec
from mtlab.ui.choosing import newest_finished, offered
from mtlab.ui.errors import told
from mtlab.ui.pacing import LIVE, LIVE_AT_ONCE, VisitorPace

MOST_SEGMENTS = 10_000
MOST_BYTES = 2_000_000
MOST_SYSTEMS = 8
LONGEST_SPEC = 100_000
LONGEST_NAME = 120


def add_api(lab: Lab, pace: VisitorPace) -> None:
    """Add the endpoints to the page that is being built.

    Args:
        lab: whose runs and models they speak of.
        pace: how often a visitor may translate.
    """

    def launch(spec: dict[str, Any]) -> str:
        """Start a fine-tuning run. It waits in the queue until its device is free.

        Args:
            spec: base, size, train, noise, test ... as in a YAML spec; it cannot name files

        Returns:
            the run's id
        """
        return lab.launch(_spec(spec)).id

    def status(run: str) -> dict[str, Any]:
        """Say how a run stands, without waiting for it.

        Args:
            run: its id, or the beginning of it

        Returns:
            id, state (queued, running, finished, stopped, failed, interrupted), phase, progress
            (0 to 1), sentence, and the error if there is one
        """
        return _standing(_run(lab, run).status())

    def results(run: str) -> dict[str, Any]:
        """Give a run's scores, each with its interval and signature, and the untuned base's.

        Args:
            run: its id, or the beginning of it

        Returns:
            id, state, seconds, scores by direction and metric, and the same of the base
        """
        return _run(lab, run).summary()

    def translate(  # noqa: D417 - the request is Gradio's to give
        request: gr.Request, text: str, direction: str, system: str = "latest"
    ) -> dict[str, Any]:
        """Translate one text with a system of this lab.

        Args:
            text: what to translate, 1,000 characters at most
            direction: from which language into which, such as de-en
            system: a run's id, latest, or an untuned base such as nano

        Returns:
            hypothesis, failures, language, length_ratio, ended, tokens, system, direction
        """
        from mtlab.scoring.sentence import remarks

        text, wanted = checked_text(text, field="text"), _direction(direction)
        name = _system(lab, system)
        pace.take(request)
        (answer,) = lab.translate(name, [text], wanted)
        if answer.note is not None:
            raise InputError(answer.note, field="text", fix="give a shorter one")
        found = remarks(text, answer.text, wanted, ended=answer.ended)
        return {
            "hypothesis": answer.text,
            "failures": list(found.failures),
            "language": found.language,
            "length_ratio": found.length_ratio,
            "ended": answer.ended,
            "tokens": answer.tokens,
            "system": name,
            "direction": str(wanted),
        }

    def score(  # noqa: D417 - the request is Gradio's to give
        request: gr.Request,
        direction: str,
        sources: list[str],
        hypotheses: dict[str, list[str]],
        references: list[str],
        metrics: list[str] | None = None,
    ) -> dict[str, Any]:
        """Score systems that translated the same sources, and compare each with the first.

        Args:
            direction: from which language into which, such as de-en
            sources: the source segments, 10,000 at most
            hypotheses: each system's translations by its name, one for each source
            references: a person's translations, one for each source
            metrics: of bleu, chrf and comet; bleu and chrf when not given

        Returns:
            systems (scores with signature and interval, failures) and comparisons
        """
        pace.score(request)
        wanted = _direction(direction)
        systems = _systems(hypotheses)
        columns = {"sources": sources, "references": references, **systems}
        for name, lines in columns.items():
            _check_lines(name, lines)
        size = sum(len(line.encode()) for lines in columns.values() for line in lines)
        if size > MOST_BYTES:
            raise InputError(
                f"{size:,} bytes of text are too many", field="hypotheses", fix="give 2 MB at most"
            )
        return lab.score(
            direction=wanted,
            sources=sources,
            references=references,
            systems=systems,
            metrics=_metrics(metrics),
        )

    public: dict[str, Any] = {"api_visibility": "public"}
    gr.api(told(launch), api_name="launch", concurrency_limit=1, **public)
    gr.api(told(status), api_name="status", concurrency_limit=None, **public)
    gr.api(told(results), api_name="results", concurrency_limit=None, **public)
    gr.api(
        told(translate),
        api_name="translate",
        concurrency_limit=LIVE_AT_ONCE,
        concurrency_id=LIVE,
        **public,
    )
    gr.api(told(score), api_name="score", concurrency_limit=1, **public)


def _spec(data: Any) -> RunSpec:
    if not isinstance(data, Mapping):
        raise InputError(
            "a spec is an object",
            field="spec",
            fix='give fields, like {"size": 32, "train": [...]}',
        )
    try:
        length = len(json.dumps(data))
    except (ValueError, TypeError, RecursionError):
        raise InputError("that is no JSON", field="spec", fix="give plain values") from None
    if length > LONGEST_SPEC:
        raise InputError("the spec is too long", field="spec", fix="give 100 kB at most")
    spec = RunSpec.from_json(data)
    refuse_files(spec)
    return spec


def _run(lab: Lab, run: Any) -> Run:
    return lab.run(checked_text(run, field="run", most=LONGEST_NAME))


def _standing(status: Status) -> dict[str, Any]:
    said = f"{status.id} is {status.state}"
    if status.state == "running" and status.phase:
        said += f": {status.phase}, {status.progress:.0%}"
        said += f" ({status.detail})" if status.detail else ""
    said += f": {status.sentence}" if status.error else "."
    return {
        "id": status.id,
        "state": status.state,
        "phase": status.phase,
        "progress": round(status.progress, 4),
        "sentence": said,
        "error": status.error,
    }


def _direction(text: Any) -> Direction:
    return Direction.parse(checked_text(text, field="direction", most=LONGEST_NAME))


def _system(lab: Lab, name: Any) -> str:
    """What the lab calls a system that is offered; no other is loaded."""
    name = checked_text(name, field="system", most=LONGEST_NAME)
    if name == "latest":
        newest = newest_finished(lab)
        if newest is None:
            raise InputError(
                "no run has finished yet", field="system", fix="launch one, or name a base: nano"
            )
        return newest
    try:
        ((_, found),) = offered(lab, [name])
    except InputError:
        ((_, found),) = offered(lab, [f"base:{name}"])
    return found


def _systems(hypotheses: Any) -> dict[str, list[str]]:
    if not isinstance(hypotheses, Mapping) or not 1 <= len(hypotheses) <= MOST_SYSTEMS:
        raise InputError(
            "these are not systems by their names",
            field="hypotheses",
            fix=f'give 1 to {MOST_SYSTEMS}, like {{"mine": ["..."]}}',
        )
    return {checked_text(name, "hypotheses", LONGEST_NAME): hypotheses[name] for name in hypotheses}


def _check_lines(name: str, lines: Any) -> None:
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise InputError("that is no list of texts", field=name, fix="give one text a segment")
    try:
        "".join(lines).encode()
    except UnicodeEncodeError:
        raise InputError("it holds halves of characters", field=name, fix="use UTF-8") from None
    if len(lines) > MOST_SEGMENTS:
        raise InputError(
            f"{len(lines):,} segments are too many",
            field=name,
            fix=f"give {MOST_SEGMENTS:,} at most",
        )


def _metrics(metrics: Any) -> tuple[str, ...]:
    chosen = ["bleu", "chrf"] if metrics is None else metrics
    if not isinstance(chosen, list) or not set(map(str, chosen)) <= {"bleu", "chrf", "comet"}:
        raise InputError("that is no list of metrics", field="metrics", fix="use bleu, chrf, comet")
    return tuple(dict.fromkeys(chosen)) or ("bleu", "chrf")
