"""What can be said of a model before its weights are loaded or fetched.

Read from its `config.json` and the headers or listing of its safetensors files, without torch.
"""

from __future__ import annotations

import errno
import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from mtlab.errors import InputError, MtlabError, NotAvailable
from mtlab.json_text import parse_json
from mtlab.presets import Base
from mtlab.settings import Settings
from mtlab.weights import count_parameters

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")
_CAUSAL_ENDINGS = ("ForCausalLM", "LMHeadModel")
_CAUSAL_DESPITE_THE_NAME = {  # text is one of several inputs; AutoModelForCausalLM loads them
    "Gemma3ForConditionalGeneration",
    "Gemma3nForConditionalGeneration",
    "Gemma4ForConditionalGeneration",
}


@dataclass(frozen=True)
class Shape:
    """A model's shape, as far as time and memory hang on it.

    Attributes:
        parameters: all of them.
        body: those that every token is multiplied with, without the vocabulary's.
        layers: depth.
        hidden: width.
        inner: width of a layer's feed-forward part.
        kv_width: width of the keys, and of the values, of a layer.
        vocabulary: tokens it knows.
    """

    parameters: int
    body: int
    layers: int
    hidden: int
    inner: int
    kv_width: int
    vocabulary: int

    @classmethod
    def guessed(cls, parameters: int) -> Shape:
        """The shape of a model of which no more is known than its size: about that of Llama."""
        hidden = max(64, round(4096 * (parameters / 6.7e9) ** 0.4))
        layers = max(2, round(parameters / (12 * hidden * hidden)))
        body = round(0.9 * parameters)
        vocabulary = min(32_000, max(8_000, parameters // (10 * hidden)))
        return cls(parameters, body, layers, hidden, 3 * hidden, hidden, vocabulary)

    def adapted(self, rank: int) -> int:
        """The parameters of LoRA's matrices on all of its linear layers."""
        hidden, inner, kv = self.hidden, self.inner, self.kv_width
        return self.layers * rank * (4 * hidden + 2 * (hidden + kv) + 3 * (hidden + inner))


@dataclass(frozen=True)
class ModelFacts:
    """A model, from its description alone.

    Attributes:
        parameters: how many.
        bytes: the size of its safetensors files.
        architecture: the class its config names.
        is_causal: whether it is a causal language model.
        has_pickled_only: whether its weights exist only as pickles, which are never loaded.
        context: tokens it can attend to; None when its config does not say.
        hidden: width.
        layers: depth.
        vocabulary: tokens it knows.
        has_chat_template: whether its tokenizer brings one; None where that is not known yet.
        is_seq2seq: whether it is an encoder with a decoder, made to turn one text into another.
        model_type: the family its config names, such as `marian`.
        commit: the hub's commit on this machine; None for a folder, or where it is not here.
        inner: width of a layer's feed-forward part; 0 where its config does not say.
        kv_width: width of the keys, and of the values, of a layer; 0 likewise.
        tied: whether one matrix serves for reading tokens and for writing them.
    """

    parameters: int
    bytes: int
    architecture: str
    is_causal: bool
    has_pickled_only: bool
    context: int | None
    hidden: int
    layers: int
    vocabulary: int
    has_chat_template: bool | None = None
    is_seq2seq: bool = False
    model_type: str = ""
    commit: str | None = None
    inner: int = 0
    kv_width: int = 0
    tied: bool = True

    @property
    def shape(self) -> Shape:
        """Its shape; what its config does not say as Llama has it."""
        hidden = max(1, self.hidden)
        tables = self.vocabulary * hidden * (1 if self.tied else 2)
        return Shape(
            parameters=self.parameters,
            body=max(self.parameters // 2, self.parameters - tables),
            layers=max(1, self.layers),
            hidden=hidden,
            inner=self.inner or 3 * hidden,
            kv_width=self.kv_width or hidden,
            vocabulary=max(1, self.vocabulary),
        )


def inspect(base: Base, settings: Settings, revision: str | None = None) -> ModelFacts:
    """Look at a model without loading it.

    Raises:
        InputError: it does not exist, is no causal language model, has only pickled weights, or
            needs code of its own.
        NotAvailable: it is gated, or the hub cannot be reached.
    """
    facts = look(base, settings, revision or base.revision)
    if not facts.is_causal:
        raise InputError(
            f"'{base.name}' is a {facts.architecture or 'model of unknown kind'} and no causal "
            "language model",
            field="base",
            fix="choose a model that continues text, such as Qwen/Qwen2.5-0.5B",
        )
    refuse_pickles(facts, base)
    if base.path and not any((base.path / name).is_file() for name in _TOKENIZER_FILES):
        raise InputError(
            f"the folder '{base.name}' holds no tokenizer",
            field="base",
            fix="save the tokenizer beside the weights",
        )
    return facts


def look(base: Base, settings: Settings, revision: str | None = None) -> ModelFacts:
    """What a model is, whatever it is; `inspect` refuses what cannot be fine-tuned.

    Raises:
        InputError: it does not exist, or needs code of its own.
        NotAvailable: it is gated, or the hub cannot be reached.
    """
    if base.path is not None:
        return _inspect_folder(base)
    return _inspect_hub(base, settings, revision)


def refuse_pickles(facts: ModelFacts, base: Base, field: str = "base") -> None:
    """Refuse a model without safetensors files.

    Raises:
        InputError: it has none.
    """
    if facts.has_pickled_only:
        raise InputError(
            f"'{base.name}' has pickled weights only, which can run code and are never loaded",
            field=field,
            fix="choose a copy with safetensors files",
        )


def config_context(config: dict[str, Any]) -> int | None:
    """The tokens a model can attend to, under the names that configs use."""
    for key in ("max_position_embeddings", "n_positions", "n_ctx", "seq_length"):
        value = config.get(key)
        if isinstance(value, int) and value > 0:
            return value
    return None


def _inspect_folder(base: Base) -> ModelFacts:
    folder = base.path
    assert folder is not None
    config = _read_config(folder / "config.json", base)
    files = sorted(folder.glob("*.safetensors"))
    pickled = [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")]
    if not files and not pickled:
        raise InputError(
            f"the folder '{base.name}' holds no weights",
            field="base",
            fix="name a folder with safetensors files",
        )
    parameters = sum(_count_parameters(file) for file in files)
    size = sum(file.stat().st_size for file in files)
    facts = _facts(config, base, parameters, size, has_pickled_only=not files)
    return replace(facts, has_chat_template=_has_chat_template(folder))


def _has_chat_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file() or (
        folder / "additional_chat_templates"
    ).is_dir():
        return True
    try:
        config = parse_json((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and bool(config.get("chat_template"))


def _inspect_hub(base: Base, settings: Settings, revision: str | None) -> ModelFacts:
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download

    repo = str(base.repo)
    try:
        # What is on this machine is used as it is; the hub is not asked about it.
        patterns = ["config.json", "*.safetensors"]
        folder = Path(
            snapshot_download(
                repo, revision=revision, local_files_only=True, allow_patterns=patterns
            )
        )
        files = sorted(file for file in folder.glob("*.safetensors") if _is_weights(file.name))
    except OSError:
        files = []
    if files and (folder / "config.json").is_file():
        config = _read_config(folder / "config.json", base)
        parameters = sum(_count_parameters(file) for file in files)
        size = sum(file.stat().st_size for file in files)
        facts = _facts(config, base, parameters, size, has_pickled_only=False)
        return replace(facts, commit=folder.name)
    try:
        if settings.offline:
            raise NotAvailable(
                f"'{base.name}' is not on this machine",
                why="the lab is offline",
                fix="unset HF_HUB_OFFLINE, or fetch the model first",
            )
        # Asked first, because it fails at once where a download tries again for half a minute.
        info = HfApi().model_info(repo, revision=revision, files_metadata=True, timeout=20)
        config_file = hf_hub_download(repo, "config.json", revision=revision)
    except Exception as error:  # noqa: BLE001 - every failure of the hub becomes a sentence
        explain_hub_error(error, base)
    config = _read_config(Path(config_file), base)
    siblings = {file.rfilename: file.size or 0 for file in info.siblings or []}
    size = sum(size for name, size in siblings.items() if _is_weights(name))
    parameters = info.safetensors.total if info.safetensors else base.parameters or size // 2
    return _facts(config, base, parameters, size, has_pickled_only=size == 0)


def _is_weights(name: str) -> bool:
    return name.endswith(".safetensors") and "/" not in name and "consolidated" not in name


def config_shape(config: dict[str, Any], parameters: int) -> Shape:
    """The shape of a model by its config."""
    base = Base("", "", parameters=parameters)
    return _facts(config, base, parameters, 0, has_pickled_only=False).shape


def _facts(
    config: dict[str, Any], base: Base, parameters: int, size: int, *, has_pickled_only: bool
) -> ModelFacts:
    architecture = (config.get("architectures") or [""])[0]
    text = config.get("text_config") or config
    if "auto_map" in config and not _transformers_knows(str(config.get("model_type", ""))):
        raise InputError(
            f"'{base.name}' needs code of its own, which is never run",
            field="base",
            fix="choose a model whose architecture is part of transformers",
        )
    return ModelFacts(
        parameters=parameters or base.parameters or 0,
        bytes=size,
        architecture=architecture,
        is_causal=architecture.endswith(_CAUSAL_ENDINGS)
        or architecture in _CAUSAL_DESPITE_THE_NAME,
        has_pickled_only=has_pickled_only,
        context=config_context(text),
        hidden=int(text.get("hidden_size") or text.get("n_embd") or text.get("d_model") or 0),
        layers=int(text.get("num_hidden_layers") or text.get("n_layer") or 0),
        vocabulary=int(text.get("vocab_size") or config.get("vocab_size") or 0),
        is_seq2seq=bool(config.get("is_encoder_decoder")),
        model_type=str(config.get("model_type", "")),
        inner=_whole(text, "intermediate_size", "ffn_dim", "n_inner", "d_ff"),
        kv_width=_kv_width(text),
        tied=bool(text.get("tie_word_embeddings", config.get("tie_word_embeddings", True))),
    )


def _whole(config: dict[str, Any], *names: str) -> int:
    return next((int(config[name]) for name in names if isinstance(config.get(name), int)), 0)


def _kv_width(config: dict[str, Any]) -> int:
    heads = _whole(config, "num_attention_heads", "n_head", "decoder_attention_heads")
    hidden = _whole(config, "hidden_size", "n_embd", "d_model")
    size = _whole(config, "head_dim") or (hidden // heads if heads else 0)
    return size * (_whole(config, "num_key_value_heads") or heads)


def _transformers_knows(model_type: str) -> bool:
    spec = importlib.util.find_spec("transformers")  # found, not imported: that would load torch
    if spec is None or not spec.submodule_search_locations:
        return False
    folder = Path(list(spec.submodule_search_locations)[0]) / "models"
    return bool(model_type) and (folder / model_type.replace("-", "_")).is_dir()


def _read_config(path: Path, base: Base) -> dict[str, Any]:
    try:
        config = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict):
        raise InputError(
            f"the config.json of '{base.name}' cannot be read",
            field="base",
            fix="choose a whole model",
        )
    return config


def _count_parameters(file: Path) -> int:
    try:
        return count_parameters(file)
    except ValueError:
        raise InputError(
            f"'{file.name}' is not a whole safetensors file",
            field="base",
            fix="fetch or copy the model again",
        ) from None


def explain_hub_error(error: Exception, base: Base) -> NoReturn:
    """Raise what the user should read for a failure of the model hub.

    Raises:
        InputError: there is no such model, revision or file.
        NotAvailable: gated, not reachable, or anything else.
    """
    from huggingface_hub import errors

    if isinstance(error, MtlabError):
        raise error
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and len(chain) < 10:
        chain.append(cause)
    if any(isinstance(one, OSError) and one.errno == errno.ENOSPC for one in chain):
        raise NotAvailable(
            f"the disk is full, and '{base.name}' could not be fetched",
            fix="free some space, or point HF_HOME at another disk",
        ) from None
    if _any(chain, errors.GatedRepoError):
        raise NotAvailable(
            f"'{base.name}' is gated",
            why="its owner wants its terms accepted first",
            fix=f"accept them at https://huggingface.co/{base.repo}, then set HF_TOKEN",
        ) from None
    if _any(chain, errors.RevisionNotFoundError):
        raise InputError(
            f"'{base.name}' has no such revision", field="revision", fix="check it on the hub"
        ) from None
    if _any(chain, errors.RemoteEntryNotFoundError):
        raise InputError(
            f"'{base.name}' is no model that transformers can load",
            field="base",
            why="it has no config.json",
            fix="choose another",
        ) from None
    if _any(chain, errors.RepositoryNotFoundError):
        raise InputError(
            f"there is no model '{base.name}' on the hub",
            field="base",
            why="or it is private",
            fix="check its spelling, or set HF_TOKEN",
        ) from None
    if _any(chain, errors.OfflineModeIsEnabled):
        why = "the lab is offline and the model is not on this machine"
        fix = "unset HF_HUB_OFFLINE, or fetch the model first"
    else:
        why = "no answer, and the model is not on this machine"
        fix = "check the network, or use a preset that is bundled: nano"
    raise NotAvailable(
        f"the model hub cannot be reached for '{base.name}'", why=why, fix=fix
    ) from None


def _any(chain: list[BaseException], kind: type[BaseException]) -> bool:
    return any(isinstance(error, kind) for error in chain)
