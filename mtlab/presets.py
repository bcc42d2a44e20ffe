"""The base models one can name, and what is known of each before anything is fetched."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from pathlib import Path

from mtlab.errors import InputError, NotAvailable
from mtlab.json_text import parse_json
from mtlab.methods import OUTPUTS
from mtlab.settings import ASSETS, Settings
from mtlab.spec import RunSpec
from mtlab.weights import folder_parameters

_EUROPEAN = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sk", "da", "sv", "fi", "hr")
_WIDE = ("en", "de", "fr", "es", "it", "pt", "ru", "zh", "ja")


@dataclass(frozen=True)
class Base:
    """A base model.

    Attributes:
        name: what a person types: a preset's name, a hub name or a folder.
        title: what a person reads.
        repo: its name on the hub, or None for a local folder.
        path: its folder, or None for a hub model.
        parameters: how many, as its makers count; None when not known before it is inspected.
        languages: codes of languages it was trained on in earnest; () when not known.
        licence: the licence's name; "" when not known.
        gated: whether the hub wants its terms accepted first.
        chat: whether it is tuned to instructions and has a chat template.
        note: what a person should know before choosing it.
        adapters: LoRA adapters to merge into it, in order: those of the runs it went on from.
        revision: of a hub model, where the run that it goes on from named one.
    """

    name: str
    title: str
    repo: str | None = None
    path: Path | None = None
    parameters: int | None = None
    languages: tuple[str, ...] = ()
    licence: str = ""
    gated: bool = False
    chat: bool = False
    note: str = ""
    adapters: tuple[Path, ...] = ()
    revision: str | None = None

    @property
    def location(self) -> str:
        """What transformers is given: the folder or the hub name."""
        return str(self.path) if self.path is not None else str(self.repo)


def _hub(
    name: str,
    title: str,
    repo: str,
    millions: int,
    languages: tuple[str, ...],
    licence: str,
    *,
    gated: bool = False,
    chat: bool = False,
    note: str = "",
) -> Base:
    return Base(
        name, title, repo, None, millions * 1_000_000, languages, licence, gated, chat, note
    )


BASES: dict[str, Base] = {
    base.name: base
    for base in (
        Base(
            name="nano",
            title="nano (bundled, 6.7 M)",
            path=ASSETS / "nano",
            parameters=6_700_000,
            languages=("en", "de", "fr", "is"),
            licence="CC BY 4.0; its text: CC BY 2.0 FR",
            note="made for this lab: knows English, German, French, a little Icelandic; no task",
        ),
        _hub("llama-2-7b", "Llama 2 7B (the paper's)", "meta-llama/Llama-2-7b-hf", 6738,
             ("en",), "Llama 2 Community License", gated=True,
             note="mostly English; the model the paper fine-tunes"),
        _hub("llama-3.2-1b", "Llama 3.2 1B", "meta-llama/Llama-3.2-1B", 1236,
             ("en", "de", "fr", "it", "pt", "es"), "Llama 3.2 Community License", gated=True),
        _hub("llama-3.2-3b", "Llama 3.2 3B", "meta-llama/Llama-3.2-3B", 3213,
             ("en", "de", "fr", "it", "pt", "es"), "Llama 3.2 Community License", gated=True),
        _hub("qwen2.5-0.5b", "Qwen 2.5 0.5B", "Qwen/Qwen2.5-0.5B", 494, _WIDE, "Apache-2.0"),
        _hub("qwen2.5-1.5b", "Qwen 2.5 1.5B", "Qwen/Qwen2.5-1.5B", 1544, _WIDE, "Apache-2.0"),
        _hub("qwen2.5-7b", "Qwen 2.5 7B", "Qwen/Qwen2.5-7B", 7616, _WIDE, "Apache-2.0"),
        _hub("qwen3-0.6b", "Qwen 3 0.6B", "Qwen/Qwen3-0.6B-Base", 596, _WIDE, "Apache-2.0"),
        _hub("qwen3-1.7b", "Qwen 3 1.7B", "Qwen/Qwen3-1.7B-Base", 1721, _WIDE, "Apache-2.0"),
        _hub("qwen3-8b", "Qwen 3 8B", "Qwen/Qwen3-8B-Base", 8191, _WIDE, "Apache-2.0"),
        _hub("gemma-2-2b", "Gemma 2 2B", "google/gemma-2-2b", 2614, ("en",), "Gemma Terms of Use",
             gated=True),
        _hub("gemma-3-1b", "Gemma 3 1B", "google/gemma-3-1b-pt", 1000, ("en",),
             "Gemma Terms of Use", gated=True),
        _hub("mistral-7b", "Mistral 7B v0.3", "mistralai/Mistral-7B-v0.3", 7248, ("en",),
             "Apache-2.0"),
        _hub("eurollm-1.7b", "EuroLLM 1.7B", "utter-project/EuroLLM-1.7B", 1657, _EUROPEAN,
             "Apache-2.0", note="trained on the EU's languages and parallel text"),
        _hub("eurollm-9b", "EuroLLM 9B", "utter-project/EuroLLM-9B", 9154, _EUROPEAN,
             "Apache-2.0", note="trained on the EU's languages and parallel text"),
        _hub("tinyllama-1.1b", "TinyLlama 1.1B",
             "TinyLlama/TinyLlama-1.1B-intermediate-step-1431k-3T", 1100, ("en",), "Apache-2.0"),
        _hub("smollm2-135m", "SmolLM2 135M", "HuggingFaceTB/SmolLM2-135M", 135, ("en",),
             "Apache-2.0"),
        _hub("smollm2-360m", "SmolLM2 360M", "HuggingFaceTB/SmolLM2-360M", 362, ("en",),
             "Apache-2.0"),
        _hub("smollm2-1.7b", "SmolLM2 1.7B", "HuggingFaceTB/SmolLM2-1.7B", 1711, ("en",),
             "Apache-2.0"),
        _hub("smollm3-3b", "SmolLM3 3B", "HuggingFaceTB/SmolLM3-3B-Base", 3075,
             ("en", "fr", "es", "it", "pt", "de"), "Apache-2.0"),
        _hub("opt-125m", "OPT 125M", "facebook/opt-125m", 125, ("en",), "OPT License",
             note="the hub's own copy is pickled and is refused; name a safetensors copy"),
        _hub("opt-1.3b", "OPT 1.3B", "facebook/opt-1.3b", 1316, ("en",), "OPT License",
             note="the hub's own copy is pickled and is refused; name a safetensors copy"),
        _hub("bloom-560m", "BLOOM 560M", "bigscience/bloom-560m", 559,
             ("en", "fr", "es", "pt", "zh"), "BigScience RAIL 1.0"),
        _hub("bloom-1b7", "BLOOM 1.7B", "bigscience/bloom-1b7", 1722,
             ("en", "fr", "es", "pt", "zh"), "BigScience RAIL 1.0"),
        _hub("bloom-7b1", "BLOOM 7.1B", "bigscience/bloom-7b1", 7069,
             ("en", "fr", "es", "pt", "zh"), "BigScience RAIL 1.0"),
        _hub("llama-2-7b-chat", "Llama 2 7B Chat", "meta-llama/Llama-2-7b-chat-hf", 6738,
             ("en",), "Llama 2 Community License", gated=True, chat=True),
        _hub("qwen2.5-0.5b-instruct", "Qwen 2.5 0.5B Instruct", "Qwen/Qwen2.5-0.5B-Instruct", 494,
             _WIDE, "Apache-2.0", chat=True),
        _hub("qwen2.5-7b-instruct", "Qwen 2.5 7B Instruct", "Qwen/Qwen2.5-7B-Instruct", 7616,
             _WIDE, "Apache-2.0", chat=True),
        _hub("mistral-7b-instruct", "Mistral 7B Instruct v0.3",
             "mistralai/Mistral-7B-Instruct-v0.3", 7248, ("en",), "Apache-2.0", chat=True),
    )
}  # fmt: skip

RUN = "run:"
"""Before a run's id, it makes what that run learnt the base model of the next."""

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def resolve_base(name: str, settings: Settings) -> Base:
    """The base model of a name: a preset, a local folder, `owner/name` on the hub, or `run:ID`,
    which is what the run of that id has made of its own base model.

    `outputs:FILE` and a name that holds languages (`opus-mt-{source}-{target}`) are no model to
    train; they are given a name and nothing else.

    Nothing is fetched and nothing is loaded; whether a hub model is there is for
    `mtlab.models.inspect` to say.

    Raises:
        InputError: none of the four, or a run that has saved no model.
        NotAvailable: the bundled model's folder is missing.
    """
    name = name.strip()
    if name.startswith(RUN):
        return _made_by(name, settings)
    if name.startswith(OUTPUTS):
        return Base(name=name, title=Path(name.removeprefix(OUTPUTS)).name)
    if "{" in name:
        return Base(name=name, title=name)
    preset = BASES.get(name.lower())
    if preset is not None:
        if preset.path is not None and not (preset.path / "config.json").is_file():
            raise NotAvailable(
                f"the bundled model '{preset.name}' is not there",
                fix="get the whole repository, with its assets folder",
            )
        return preset
    folder = Path(name).expanduser()
    may_open = settings.may_open(folder)  # where it may not, it is not even told what is there
    if may_open and folder.is_dir():
        if not (folder / "config.json").is_file():
            raise InputError(
                f"the folder '{name}' holds no model",
                field="base",
                fix="name a folder with config.json and safetensors files",
            )
        folder = folder.absolute()
        parameters = folder_parameters(folder)
        return Base(name=str(folder), title=folder.name, path=folder, parameters=parameters)
    looks_like_a_path = name.startswith(("/", "./", "../", "~", "\\")) or name.count("/") > 1
    if looks_like_a_path or (may_open and folder.exists()):
        raise InputError(f"there is no model folder '{name}'", field="base", fix="check the path")
    known = {base.repo.lower(): base for base in BASES.values() if base.repo}
    if name.lower() in known:
        return known[name.lower()]
    if _HUB_NAME.fullmatch(name):
        return Base(name=name, title=name, repo=name)
    close = difflib.get_close_matches(name.lower(), BASES, n=1)
    hint = f"did you mean '{close[0]}'? Else use" if close else "use"
    raise InputError(
        f"there is no base model '{name}'",
        field="base",
        fix=f"{hint} a preset ({', '.join(list(BASES)[:4])}, ...), a hub name like "
        "Qwen/Qwen2.5-0.5B, or a folder",
    )


def _made_by(name: str, settings: Settings) -> Base:
    """What a run made: its own model, or its base with one more adapter to merge in."""
    folder = settings.runs / Path(name.removeprefix(RUN).strip()).name
    try:
        spec = RunSpec.from_json(parse_json((folder / "spec.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, InputError):
        raise InputError(
            f"there is no run '{folder.name}' to go on from",
            field="base",
            fix="see 'mtlab runs list' for the ids, and write run:ID",
        ) from None
    base = resolve_base(spec.base, settings)
    made = replace(base, name=name, title=f"run {folder.name}")
    if (folder / "model" / "config.json").is_file():
        return replace(made, repo=None, path=folder / "model", adapters=(), revision=None)
    if (folder / "adapter" / "adapter_config.json").is_file():
        adapters = (*base.adapters, folder / "adapter")
        return replace(made, adapters=adapters, revision=spec.revision or base.revision)
    if not spec.training.trains:
        raise InputError(
            f"the run '{folder.name}' trained nothing to go on from",
            field="base",
            fix=f"start from its own base, {spec.base}",
        )
    raise InputError(
        f"the run '{folder.name}' has saved no model to go on from",
        field="base",
        fix="wait until it has finished, or resume it",
    )
