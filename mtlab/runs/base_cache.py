"""The untuned base model's translations and scores, kept by content so that no run redoes them.

An entry's name is a SHA-256 over everything that decides it: the model's content, the sources, the
prompt, how it is decoded and in which number format, and the versions of what decodes. Entries may
be deleted at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mtlab
from mtlab.prompts import Template
from mtlab.runs.files import read_json, write_json
from mtlab.runs.provenance import digest, versions
from mtlab.scoring.failures import FAILURES
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis


def translation_key(
    model: str,
    sources: Sequence[str],
    direction: Direction,
    spec: RunSpec,
    template: Template,
    number_format: str,
) -> str:
    """The name of a base model's translations of `sources`.

    Args:
        model: `provenance.model_digest` of the base.
        sources: in order.
        direction: from which language into which.
        spec: for its decoding, and its seed where it samples.
        template: the prompt.
        number_format: of the weights, with the device, such as `cpu fp32`.
    """
    sampled = spec.seed if spec.decoding.strategy == "sample" else None
    found = versions()
    return digest(
        {
            "model": model,
            "sources": list(sources),
            "direction": str(direction),
            "decoding": spec.decoding.deciding(),
            "prompt": template.prompt("\u241f", direction),
            "format": number_format,
            "seed": sampled,
            "mtlab": mtlab.__version__,
            "versions": [found.get("torch"), found.get("transformers")],
        }
    )


def read_translations(settings: Settings, key: str, count: int) -> list[Hypothesis] | None:
    """The kept translations, or None when they are not there or not `count` whole ones."""
    from mtlab.decoding import Hypothesis

    data = read_json(_path(settings, key)) or {}
    rows = data.get("hypotheses")
    if not isinstance(rows, list) or len(rows) != count:
        return None
    try:
        return [Hypothesis(**row) for row in rows]
    except TypeError:
        return None


def keep_translations(settings: Settings, key: str, hypotheses: Sequence[Hypothesis]) -> None:
    """Keep translations.

    Raises:
        OSError: they cannot be written.
    """
    rows = [
        {"text": one.text, "ended": one.ended, "tokens": one.tokens, "note": one.note}
        for one in hypotheses
    ]
    _keep(settings, key, {"hypotheses": rows})


def score_key(translations: str, references: Sequence[str], spec: RunSpec) -> str:
    """The name of the scores of kept translations."""
    found = versions()
    return digest(
        {
            "translations": translations,
            "references": list(references),
            "metrics": sorted(spec.metrics),
            "failures": list(FAILURES),
            "template": spec.template,
            "comet": spec.comet_model if "comet" in spec.metrics else None,
            "mtlab": mtlab.__version__,
            "sacrebleu": found.get("sacrebleu"),
        }
    )


def read_scores(settings: Settings, key: str) -> dict[str, Any] | None:
    """Kept scores, or None."""
    return read_json(_path(settings, key))


def keep_scores(settings: Settings, key: str, scores: dict[str, Any]) -> None:
    """Keep scores; not those where a metric was not available, which may be had next time.

    Raises:
        OSError: they cannot be written.
    """
    if all(value.get("available") is not False for value in scores["scores"].values()):
        _keep(settings, key, scores)


def _keep(settings: Settings, key: str, value: dict[str, Any]) -> None:
    path = _path(settings, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, value, durable=False)


def _path(settings: Settings, key: str) -> Path:
    return settings.cache / "base" / f"{key}.json"
