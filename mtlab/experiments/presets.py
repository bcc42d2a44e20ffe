"""The ready-made experiments: the paper's four, and what its authors ask next.

A preset is a function of a few choices (base, corpus, directions, sizes, seeds), so that the same
one runs on the bundled model in minutes and at full size on a GPU. Everything else is a flag.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from mtlab.errors import InputError
from mtlab.experiments import ladders
from mtlab.experiments.experiment import Experiment
from mtlab.experiments.ladders import FOUR, ICELANDIC, SIX, Size
from mtlab.settings import Settings
from mtlab.spec import Noise

ARCHITECTURES = (
    "smollm2-360m", "qwen2.5-0.5b", "bloom-560m", "tinyllama-1.1b", "gemma-3-1b",
    "llama-3.2-1b", "eurollm-1.7b",
)  # fmt: skip
"""One model per family, of about one size. OPT's own copy on the hub is pickled and not loaded."""

KINDS = tuple(kind for kind in get_args(Noise.model_fields["kind"].annotation) if kind != "none")
"""Every kind of noise that a spec knows."""

PAPER_KINDS = tuple(kind for kind in ("word", "sentence") if kind in KINDS)
NEEDS_TRANSLATOR = "sentence"

SHARES = (0, 0.01, 0.05, 0.1, 0.5)
CYCLES = 4
EXAMPLES = (1, 3, 5)
"""Examples shown in few-shot prompting."""

OTHER_SYSTEMS: tuple[dict[str, Any], ...] = (
    {"label": "Qwen 2.5 0.5B Instruct", "base": "qwen2.5-0.5b-instruct", "template": "chat"},
    {"label": "NLLB 600M", "base": "facebook/nllb-200-distilled-600M"},
)
"""Systems of the hub beside a base of one's own: instructed, and made for translation."""

_FRESH = 1_000  # added to the seed per cycle, so that each cycle sees new pairs


@dataclass(frozen=True)
class Choices:
    """What a person chooses of a preset; None or empty leaves it to the preset.

    Attributes:
        base: as in a spec; `nano` when not given.
        corpus: as in a spec.
        train: training directions; what they mean is the preset's to say.
        sizes: training pairs, or `all`.
        seeds: the seeds.
    """

    base: str | None = None
    corpus: str = "everyday"
    train: tuple[str, ...] = ()
    sizes: tuple[Size, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2)


@dataclass(frozen=True)
class Preset:
    """A ready-made experiment.

    Attributes:
        name: such as `paper/size`.
        title: a few words for people.
        shows: what it is made to show.
        make: what varies, from a person's choices: `(spec, axes, variations)`.
        takes_base: whether a person chooses the base; else the experiment varies it.
    """

    name: str
    title: str
    shows: str
    make: Callable[[Choices, Settings], tuple[Fields, Axes, Variations]]
    takes_base: bool = True


Fields = dict[str, Any]
Axes = Mapping[str, Sequence[Any]]
Variations = Sequence[Mapping[str, Any]]


def preset(name: str, choices: Choices, settings: Settings) -> Experiment:
    """A ready-made experiment.

    Raises:
        InputError: no such preset, a corpus there is not, or a direction it lacks.
        NotAvailable: the corpus lies where this machine cannot reach.
    """
    found = PRESETS.get(name)
    if found is None:
        close = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean '{close[0]}'? Else see" if close else "see"
        raise InputError(
            f"there is no sweep '{name}'",
            field="PRESET",
            fix=f"{hint} 'mtlab sweep --list', or name a YAML file",
        )
    if choices.base and not found.takes_base:
        raise InputError(f"the sweep '{name}' varies it", field="base", fix="leave it out here")
    spec, axes, variations = found.make(choices, settings)
    shared = {**(_shared(choices) if found.takes_base else _common(choices)), **spec}
    return Experiment(
        found.name, shared, axes, variations or ({},), choices.seeds, found.title, found.shows
    )


def sweep_command(name: str, choices: Choices) -> str:
    """The command that makes a ready-made sweep with these choices of base, corpus and seeds."""
    seeds = choices.seeds
    counted = seeds == tuple(range(len(seeds)))
    # The comma tells the one seed 5 from five seeds.
    listed = str(len(seeds)) if counted else "".join(f"{seed}," for seed in seeds)
    words = ["mtlab", "sweep", name]
    words += ["--base", choices.base] if choices.base else []
    words += ["--corpus", choices.corpus] if choices.corpus != Choices.corpus else []
    return shlex.join([*words, "--seeds", listed])


def _common(choices: Choices) -> Fields:
    """What every run of a preset shares: no probe, which only serves those who watch."""
    return {"corpus": choices.corpus, "probe_size": 0}


def _shared(choices: Choices) -> Fields:
    """The same where the base is one for all."""
    base = choices.base or "nano"
    # COMET takes longer on two cores than everything else a run of nano does.
    metrics = {"metrics": ["bleu", "chrf"]} if base == "nano" else {}
    return {"base": base, **_common(choices), **metrics}


def _size(choices: Choices, settings: Settings) -> tuple[Fields, Axes, Variations]:
    train = choices.train or (
        FOUR if choices.corpus == "everyday" else ladders.train_directions(choices.corpus, settings)
    )
    spec: Fields = {"train": list(train)}
    if choices.corpus == "wmt" and not choices.train:
        spec["test"] = list(ladders.ELEVEN)
    # On the small corpus one size more, where the curve bends.
    extra = (48,) if choices.corpus == "everyday" else ()
    sizes = choices.sizes or ladders.sizes_up_to(
        ladders.pairs_of(choices.corpus, train, settings), extra
    )
    return spec, {"size": sizes}, ()


def _direction(choices: Choices, settings: Settings) -> tuple[Fields, Axes, Variations]:
    every = choices.train or ladders.train_directions(choices.corpus, settings)
    singles = every
    if choices.corpus == "wmt" and not choices.train:
        singles = ("de-en", "zh-en", "en-de", "en-zh", "fr-de", "de-fr")  # the paper's six
    variations: list[Fields] = [{"label": "all directions", "train": list(every)}]
    variations += [{"label": f"{one} only", "train": [one]} for one in singles]
    spec = {"test": list(ladders.test_directions(choices.corpus, settings))}
    # At which size the paper compares them is not known here.
    sizes = choices.sizes or ((1024,) if choices.corpus == "wmt" else (32,))
    return spec, {"size": sizes}, variations


def _noise(choices: Choices, settings: Settings) -> tuple[Fields, Axes, Variations]:
    # Of the pairs that wmt trains, Czech is the one that Llama 2 has seen least of.
    hardly = "en-cs" if choices.corpus == "wmt" else "en-is"
    train = choices.train or ("en-de", hardly)
    sizes = choices.sizes or ((32, 1024, "all") if choices.corpus == "wmt" else (32, 256, "all"))
    variations = _with_translator(PAPER_KINDS, train)
    variations += [
        {"label": f"{kind} noise, {side}", "noise.kind": kind, "noise.side": side, **_by(kind)}
        for kind in PAPER_KINDS
        for side in ("source", "target")
    ]
    return {}, {"train": [[one] for one in train], "size": sizes}, variations


def _unseen(choices: Choices, settings: Settings) -> tuple[Fields, Axes, Variations]:
    if choices.corpus == "wmt":
        # It has no training pairs for these languages; what is left is to test them.
        train = choices.train or ladders.TEN
        test = [*ICELANDIC, "en-ha", "ha-en", "en-de", "de-en"]
        spec = {"train": list(train), "test": test}
        return spec, {"size": choices.sizes or (32, 1024, "all")}, ()
    sets = {
        "without Icelandic": SIX,
        "en-is only": ("en-is",),
        "is-en only": ("is-en",),
        "en-is and is-en": ICELANDIC,
        "all of these": (*SIX, *ICELANDIC),
    }
    if choices.train:
        sets = {" ".join(choices.train): choices.train}
    variations = [{"label": label, "train": list(train)} for label, train in sets.items()]
    spec = {"test": [*ICELANDIC, "en-de", "de-en"]}
    return spec, {"size": choices.sizes or (32, 256)}, variations


def _architecture(choices: Choices, settings: Settings) -> tuple[Fields, Axes, Variations]:
    spec, _, _ = _size(choices, settings)
    return spec, {"base": ARCHITECTURES, "size": choices.sizes or (32, 256)}, ()


def _noise_kinds(choices: Choices, settings: Settings) -> tuple[Fields, Axes, Variations]:
    train = choices.train or ("en-de",)
    # The clean run has no side; one is named so that it is run once.
    variations = _with_translator(KINDS, train, {"noise.side": "target"})
    variations += [{"label": kind, "noise.kind": kind, **_by(kind)} for kind in KINDS]
    axes = {"size": choices.sizes or (256,), "noise.side": ["source", "target"]}
    return {"train": list(train)}, axes, variations


def _cycles(choices: Choices, settings: Settings) -> tuple[Fields, Axes, Variations]:
    variations: list[Fields] = []
    for cycle in range(1, CYCLES + 1):
        variation: Fields = {"label": f"cycle {cycle}", "seed": _FRESH * (cycle - 1)}
        if cycle > 1:
            variation["base"] = f"run:@cycle {cycle - 1}"
        variations.append(variation)
    spec = {"train": list(choices.train or ("en-de", "de-en")), "noise.side": "target"}
    return spec, {"noise.kind": ["none", "word"], "size": choices.sizes or (256,)}, variations


def _reverse(choices: Choices, settings: Settings) -> tuple[Fields, Axes, Variations]:
    spec = {
        "train": list(choices.train or ("de-en",)),
        "test": list(ladders.test_directions(choices.corpus, settings)),
    }
    sizes = choices.sizes or ((1024,) if choices.corpus == "wmt" else (256,))
    return spec, {"size": sizes, "reverse": SHARES}, ()


def _systems(choices: Choices, settings: Settings) -> tuple[Fields, Axes, Variations]:
    train = list(choices.train or ladders.train_directions(choices.corpus, settings))
    variations: list[Fields] = [{"label": "untuned", "training.method": "none"}]
    variations += [
        {"label": f"{count}-shot", "training.method": "few-shot", "size": count}
        for count in EXAMPLES
    ]
    if (choices.base or "nano") != "nano":  # the others must be fetched
        variations += [{"training.method": "none", **one} for one in OTHER_SYSTEMS]
    sizes = choices.sizes or ((1024,) if choices.corpus == "wmt" else (32,))
    variations += [{"label": f"fine-tuned on {size}", "size": size} for size in sizes]
    return {"train": train, "test": train}, {}, variations


def _with_translator(
    kinds: Sequence[str], train: Sequence[str], clean: Mapping[str, Any] | None = None
) -> list[Fields]:
    """The clean run, and for machine-translated noise the run whose translations it uses: trained
    on everything there is, in the same languages, both ways.
    """
    variations: list[Fields] = [{"label": "clean", "noise.kind": "none", **(clean or {})}]
    if NEEDS_TRANSLATOR in kinds:
        pairs = [way for one in train for way in (one, "-".join(reversed(one.split("-"))))]
        both = list(dict.fromkeys(pairs))
        variations.append(
            {**variations[0], "label": "translator", "train": both, "test": both, "size": "all"}
        )
    return variations


def _by(kind: str) -> Fields:
    return {"noise.translator": "@translator"} if kind == NEEDS_TRANSLATOR else {}


PRESETS: dict[str, Preset] = {
    one.name: one
    for one in (
        Preset("paper/size", "How many pairs", "whether 32 pairs are enough", _size),
        Preset(
            "paper/direction",
            "One direction against all",
            "whether one direction teaches all, and what English targets alone do",
            _direction,
        ),
        Preset(
            "paper/noise",
            "Noise, by kind, side, language and size",
            "whether noise on the target costs more than on the source, and in which language",
            _noise,
        ),
        Preset(
            "paper/unseen",
            "A language hardly seen in pre-training",
            "whether fine-tuning teaches a language that pre-training hardly met",
            _unseen,
        ),
        Preset(
            "next/architecture",
            "Other base models",
            "whether it holds for other architectures",
            _architecture,
            takes_base=False,
        ),
        Preset(
            "next/noise-kinds", "Every kind of noise", "which kinds of noise hurt", _noise_kinds
        ),
        Preset(
            "next/cycles",
            "Several cycles of fine-tuning",
            "whether noise accumulates when a run goes on from the one before, on new pairs",
            _cycles,
        ),
        Preset(
            "next/reverse",
            "A few reversed pairs",
            "how many reversed pairs cure a model trained into English alone",
            _reverse,
        ),
        Preset(
            "next/systems",
            "Other systems",
            "how fine-tuning compares with examples in the prompt, an instructed and an NMT model",
            _systems,
        ),
    )
}
"""Every ready-made experiment by name."""
