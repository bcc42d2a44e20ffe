"""The model card of a run: the hub's front matter, and a page that says what it is worth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlab.commands import command_for
from mtlab.corpora import open_corpus
from mtlab.corpora.hub import PREFIX
from mtlab.errors import MtlabError
from mtlab.results.findings import Finding
from mtlab.results.labels import METRICS, digits
from mtlab.results.reading import read_scores
from mtlab.runs.files import read_json
from mtlab.runs.store import RunRecord
from mtlab.scoring.failures.verdicts import FAILURES
from mtlab.settings import Settings
from mtlab.sharing.loading import Weights, loading_code
from mtlab.sharing.origin import Licence, Origin, licence_of
from mtlab.sharing.scores import (
    Told,
    directions_of,
    eval_results,
    hub_data,
    missing_metrics,
    told_scores,
)
from mtlab.sharing.telling import told_spec, without_folders
from mtlab.spec import RunSpec

if TYPE_CHECKING:
    from huggingface_hub import ModelCard, ModelCardData

_TEMPLATE = Path(__file__).with_name("card.md.jinja")

_MADE = {
    "adapter": "a LoRA adapter",
    "merged": "a model: a LoRA adapter merged into its base, in fp32,",
    "model": "a model, fine-tuned in full,",
}


@dataclass(frozen=True)
class Shared:
    """What a card is about.

    Attributes:
        name: OWNER/NAME.
        record: the run.
        weights: what is pushed of it.
        origin: the base under it.
        findings: what it shows.
        settings: the lab's.
    """

    name: str
    record: RunRecord
    weights: Weights
    origin: Origin
    findings: tuple[Finding, ...]
    settings: Settings

    @property
    def spec(self) -> RunSpec:
        """The run's."""
        return self.record.spec


def card_for(shared: Shared) -> ModelCard:
    """The card, as the hub's own library has it."""
    from huggingface_hub import ModelCard
    from jinja2 import Environment

    spec, told = shared.spec, told_spec(shared.spec)
    scores = _told(shared)
    provenance = read_json(shared.record.folder / "provenance.json") or {}
    environment = Environment(trim_blocks=True, lstrip_blocks=True)  # Markdown, not HTML
    page = environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        name=shared.name,
        shared=shared,
        spec=spec,
        made=_MADE[shared.weights],
        trained=", ".join(map(str, spec.train)),
        tested=", ".join(map(str, spec.tested)),
        train_data=_data(spec.corpus, shared.settings),
        test_data=_data(spec.test_corpus or spec.corpus, shared.settings),
        provenance=provenance,
        removed=sum((provenance.get("removed_for_standing_in_the_test_set") or {}).values()),
        scores=[_score_row(score) for score in scores],
        signatures=_signatures(scores),
        failures=_failure_rows(shared.record.folder),
        limits=limits(shared),
        code=loading_code(shared.name, spec, shared.weights, shared.origin),
        licence=licence_of(shared.origin.base),
        yaml=told.to_yaml().strip(),
        command=command_for(told),
        fence=_fence(told.to_yaml()),
    )
    return ModelCard(f"---\n{card_data_for(shared).to_yaml()}\n---\n\n{page}\n")


def card_data_for(shared: Shared) -> ModelCardData:
    """The front matter."""
    from huggingface_hub import ModelCardData

    spec, base = shared.spec, shared.origin.base
    licence = licence_of(base) or Licence("")
    languages = {
        code for direction in directions_of(spec) for code in (direction.source, direction.target)
    }
    extra: dict[str, Any] = {}
    if base.repo is not None:
        extra["base_model"] = base.repo
        extra["base_model_relation"] = "adapter" if shared.weights == "adapter" else "finetune"
    if spec.corpus.strip().startswith(PREFIX):
        extra["datasets"] = [hub_data(spec.corpus.strip())]
    return ModelCardData(
        language=sorted(languages),
        license=licence.id or None,
        license_name=licence.name,
        library_name="peft" if shared.weights == "adapter" else "transformers",
        pipeline_tag="translation",
        tags=["mtlab", "machine-translation", str(spec.training.method)],
        metrics=sorted({"comet" if "comet" in one.metric else one.metric for one in _told(shared)}),
        model_name=shared.name.split("/")[1],
        eval_results=eval_results(spec, shared.record.folder),
        **extra,
    )


def limits(shared: Shared) -> list[str]:
    """What the numbers do not say, a sentence each."""
    spec = shared.spec
    said = [
        f"One run with one seed ({spec.seed}). The intervals are over test segments alone: another "
        "seed may score differently by more than they show."
    ]
    counts = {score.n for score in _told(shared)}
    if counts and max(counts) < 1000:
        said.append(
            f"Tested on {min(counts)} segments a direction"
            + (f" to {max(counts)}" if min(counts) < max(counts) else "")
            + ": intervals are wide, and small differences mean nothing."
        )
    said.append("Scores are automatic, against one reference; no person has judged translations.")
    untrained = [str(one) for one in spec.tested if one not in spec.train]
    if untrained:
        said.append(f"Tested, but never trained on: {', '.join(untrained)}.")
    said.append("Directions that are not named here were neither trained nor tested.")
    if spec.noise.active:
        said.append(
            f"The training pairs were spoilt on purpose: {spec.noise.kind} noise on "
            f"{'both sides' if spec.noise.side == 'both' else f'the {spec.noise.side} side'} of "
            f"{spec.noise.ratio:.0%} of them. It is an experiment, not a translator."
        )
    said += [
        f"{METRICS[metric]} was asked for and could not be had: {why}."
        for metric, why in missing_metrics(shared.record.folder).items()
    ]
    form = (read_json(shared.record.folder / "provenance.json") or {}).get("decoding_precision")
    if form:
        said.append(
            f"The scored translations were made in {form}: in another number format, or on another "
            "kind of machine, now and then a word differs."
        )
    if shared.origin.is_bundled:
        said.append(
            f"{shared.origin.title} is a toy of 6.7 M parameters: it shows effects and does not "
            "translate for use."
        )
    said.append("What limits its base, and the base's licence, hold for it as well.")
    return said


def _told(shared: Shared) -> tuple[Told, ...]:
    return told_scores(shared.record.folder)


def _score_row(score: Told) -> dict[str, str]:
    form = f".{digits(score.metric)}f"
    interval = "" if score.low is None else f"{score.low:{form}} to {score.high:{form}}"
    return {
        "direction": score.direction,
        "metric": METRICS[score.metric],
        "value": f"{score.value:{form}}",
        "interval": interval,
        "untuned": "" if score.untuned is None else f"{score.untuned:{form}}",
        "n": str(score.n),
    }


def _signatures(scores: Sequence[Told]) -> list[str]:
    return list(dict.fromkeys(f"{METRICS[one.metric]}: `{one.signature}`" for one in scores))


def _failure_rows(folder: Path) -> list[dict[str, str]]:
    """The failures that were found, by direction, in shares of the segments."""
    read = read_scores(folder)
    rows = []
    for direction, scores in read["scores"].items():
        own = scores.get("failures") or {}
        untuned = (read["base"].get(direction) or {}).get("failures") or {}
        for name in FAILURES:
            if own.get(name) or untuned.get(name):
                rows.append(
                    {
                        "direction": direction,
                        "failure": name,
                        "own": f"{own.get(name, 0):.0%}",
                        "untuned": f"{untuned[name]:.0%}" if name in untuned else "",
                    }
                )
    return rows


def _data(corpus: str, settings: Settings) -> dict[str, str]:
    """A corpus and its licence in words."""
    corpus = corpus.strip()
    if corpus.startswith(PREFIX):  # not opened: its page says more, and may be out of reach
        return {"title": f"the data set {hub_data(corpus)}", "licence": "see its page on the hub"}
    try:
        found = open_corpus(corpus, settings)
    except MtlabError:  # a file that was moved since
        return {"title": without_folders(corpus), "licence": "not known here"}
    return {"title": found.title, "licence": found.licence}


def _fence(text: str) -> str:
    """A fence longer than any in the text, which a person may have written."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)
