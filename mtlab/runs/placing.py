"""Local files named in a spec, made independent of the folder it was launched from."""

from __future__ import annotations

from pathlib import Path

from mtlab.methods import OUTPUTS
from mtlab.spec import RunSpec


def placed(spec: RunSpec) -> RunSpec:
    """The spec with the local files and folders it names as absolute paths.

    The run's process works in the run's folder, and may be started by another process than the one
    it was launched from; a relative path would mean nothing there. What is no existing file or
    folder is left as it is, for its owner to judge.
    """
    changes: dict[str, object] = {}
    for name in ("corpus", "test_corpus"):
        value = getattr(spec, name)
        if value and (there := _absolute_corpus(value)) != value:
            changes[name] = there
    if spec.base.startswith(OUTPUTS):  # with languages in its name it need not exist
        file = Path(spec.base.removeprefix(OUTPUTS)).expanduser()
        changes["base"] = f"{OUTPUTS}{file.absolute()}"
    elif "{" in spec.base and spec.base.startswith((".", "~")):
        changes["base"] = str(Path(spec.base).expanduser().absolute())
    elif not _is_hub_or_preset(spec.base) and (folder := _absolute(spec.base)) != spec.base:
        changes["base"] = folder
    if (folder := _absolute(spec.comet_model)) != spec.comet_model:
        changes["comet_model"] = folder
    for name in ("dictionary", "terms"):
        value = getattr(spec.noise, name)
        if value and (there := str(Path(value).expanduser().absolute())) != value:
            changes[f"noise__{name}"] = there
    translator = spec.noise.translator
    if translator and not _is_hub_or_preset(translator):
        if translator.startswith((".", "~")):  # with languages in its name it need not exist
            changes["noise__translator"] = str(Path(translator).expanduser().absolute())
        elif (folder := _absolute(translator)) != translator:
            changes["noise__translator"] = folder
    return spec.with_changes(**changes) if changes else spec


def _absolute_corpus(name: str) -> str:
    from mtlab.corpora import corpus_names
    from mtlab.corpora.own import paths_of, split_name

    if name in dict(corpus_names()) or name.startswith("hub:"):
        return name
    paths = paths_of(name)
    if not all(path.is_file() for path in paths):
        return name
    _, direction = split_name(name)
    files = ",".join(str(path.absolute()) for path in paths)
    return f"{files}:{direction}" if direction else files


def _absolute(name: str) -> str:
    path = Path(name).expanduser()
    return str(path.absolute()) if path.exists() else name


def _is_hub_or_preset(name: str) -> bool:
    from mtlab.presets import BASES

    return name.strip().lower() in BASES
