"""A run's scores beside its base model's, as a table and as one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mtlab.results.labels import METRICS, digits
from mtlab.spec import RunSpec
from mtlab.ui.markup import badges, escape, language_name, notice, table


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
        own = summary.get("system") or "fine-tuned"
        for system, values in (("base", base.get(direction)), (own, tuned)):
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
                    signatures[metric] = reproduced_by(score)
                cells.append(score_cell(metric, score))
            rows.append(
                (
                    f"<b>{escape(direction)}</b>",
                    escape(system),
                    *cells,
                    failed_cell(values),
                )
            )
    grid = table(
        ("Direction", "System", *(METRICS[m] for m in metrics), "Failed segments"),
        rows,
        caption="Corpus scores on the test set, with 95% bootstrap intervals over segments. "
        "A segment may fail in several ways; the bar counts it once",
        css_class="numbers",
    )
    lines = [f"{METRICS[m]}: {text}" for m, text in signatures.items()]
    lines += [f"{METRICS[m]} is not available: {why}" for m, why in reasons.items()]
    return grid + "".join(f'<p class="signature">{escape(line)}</p>' for line in lines)


def score_cell(metric: str, score: Mapping[str, Any]) -> str:
    """One score with its interval, or `n/a`."""
    if score.get("available") is False:
        return '<span class="quiet">n/a</span>'
    form = f".{digits(metric)}f"
    value = f"{score['value']:{form}}"
    if score.get("low") is None:
        return value
    interval = f"{score['low']:{form}} to {score['high']:{form}}"
    return f'{value}<br><span class="quiet">{interval}</span>{_gated(metric, score)}'


def _gated(metric: str, score: Mapping[str, Any]) -> str:
    """COMET with failed segments counted zero; BLEU and chrF are as they fall."""
    gated = score.get("gated")
    if metric != "comet" or not gated or not gated["failed"]:
        return ""
    return (
        f'<br><span title="{gated["failed"]} failed segments counted zero; BLEU and chrF are taken '
        f'as they fall">gated {gated["value"]:.4f}</span>'
    )


def failed_cell(system: Mapping[str, Any]) -> str:
    """The share of failed segments as a stacked bar, each segment once, and as labels.

    Of a run from before there was such a count, labels alone.
    """
    parts = {name: share for name, share in (system.get("stacked") or {}).items() if share}
    shares = {name: share for name, share in (system.get("failures") or {}).items() if share}
    labels = badges([f"{name} {share:.0%}" for name, share in shares.items()]) or "none"
    wrong = system.get("languages") or {}
    if wrong:
        said = ", ".join(f"{language_name(code)} {share:.0%}" for code, share in wrong.items())
        labels += f'<br><span class="quiet">in {escape(said)}</span>'
    if not parts:
        return labels
    told = ", ".join(f"{name} {share:.1%}" for name, share in parts.items())
    bar = "".join(
        f'<i class="failed-{escape(name)}" style="width:{share:.2%}"></i>'
        for name, share in parts.items()
    )
    title = f"{sum(parts.values()):.1%} of the segments failed, each counted once: {told}"
    labels = f"<b>{sum(parts.values()):.0%}</b> {labels}"
    return (
        f'<span class="failed-bar" role="img" aria-label="{escape(title)}" '
        f'title="{escape(title)}">{bar}</span>{labels}'
    )


def headline(summary: Mapping[str, Any], spec: RunSpec) -> str:
    """What the run shows, in one sentence made from its numbers."""
    parts = []
    for direction, tuned in (summary.get("scores") or {}).items():
        before = (summary.get("base") or {}).get(direction, {}).get("bleu", {}).get("value")
        after = tuned.get("bleu", {}).get("value")
        if before is not None and after is not None:
            parts.append(f"{direction} from {before:.1f} to {after:.1f}")
    if not parts:
        return ""
    amount = f"{spec.size} sentence pairs" if spec.training.trains else spec.amount
    return f"{amount} took BLEU on {', '.join(parts)}."


def reproduced_by(score: Mapping[str, Any]) -> str:
    """What it takes to get a score again: signature, segments, seed of the interval."""
    text = f"{score['signature']}, {score['n']} segments"
    return f"{text}, interval seed {score['seed']}" if score.get("seed") is not None else text
