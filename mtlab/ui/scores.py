"""A run's scores beside its base model's, as a table and as one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mtlab.ui.markup import badges, escape, notice, table

METRICS = {"bleu": "BLEU", "chrf": "chrF", "comet": "COMET"}
_DIGITS = {"comet": 4}


def scores_html(summary: Mapping[str, Any]) -> str:
    """Every direction, base and fine-tuned, every metric with its interval, and the failures.

    Args:
        summary: what `Run.summary()` gives.
    """
    scores, base = summary.get("scores") or {}, summary.get("base") or {}
    if not scores:
        return notice("Scores appear here when the run has translated its test set.")
    metrics = [name for name in METRICS if name in next(iter(scores.values()))]
    rows, reasons, signatures = [], {}, {}
    for direction, tuned in scores.items():
        for system, values in (("base", base.get(direction)), ("fine-tuned", tuned)):
            if not values:
                continue
            cells = []
            for metric in metrics:
                score = values[metric]
                if score.get("available") is False:
                    reasons[metric] = "; ".join(
                        text for text in (score["why"], score.get("fix")) if text
                    )
                else:
                    signatures[metric] = _reproduced_by(score)
                cells.append(score_cell(metric, score))
            failures = {n: share for n, share in values.get("failures", {}).items() if share}
            rows.append(
                (
                    f"<b>{escape(direction)}</b>",
                    escape(system),
                    *cells,
                    badges([f"{name} {share:.0%}" for name, share in failures.items()]) or "none",
                )
            )
    grid = table(
        ("Direction", "System", *(METRICS[m] for m in metrics), "Failed segments"),
        rows,
        caption="Corpus scores on the test set, with 95% bootstrap intervals over segments",
        css_class="numbers",
    )
    lines = [f"{METRICS[m]}: {text}" for m, text in signatures.items()]
    lines += [f"{METRICS[m]} is not available: {why}" for m, why in reasons.items()]
    return grid + "".join(f'<p class="signature">{escape(line)}</p>' for line in lines)


def score_cell(metric: str, score: Mapping[str, Any]) -> str:
    """One score with its interval, or `n/a`."""
    if score.get("available") is False:
        return '<span class="quiet">n/a</span>'
    digits = _DIGITS.get(metric, 1)
    value = f"{score['value']:.{digits}f}"
    if score.get("low") is None:
        return value
    interval = f"{score['low']:.{digits}f} to {score['high']:.{digits}f}"
    return f'{value}<br><span class="quiet">{interval}</span>'


def headline(summary: Mapping[str, Any], size: int) -> str:
    """What the run shows, in one sentence made from its numbers."""
    parts = []
    for direction, tuned in (summary.get("scores") or {}).items():
        before = (summary.get("base") or {}).get(direction, {}).get("bleu", {}).get("value")
        after = tuned.get("bleu", {}).get("value")
        if before is not None and after is not None:
            parts.append(f"{direction} from {before:.1f} to {after:.1f}")
    if not parts:
        return ""
    return f"{size} sentence pairs took BLEU on {', '.join(parts)}."


def _reproduced_by(score: Mapping[str, Any]) -> str:
    text = f"{score['signature']}, {score['n']} segments"
    return f"{text}, interval seed {score['seed']}" if score.get("seed") is not None else text
