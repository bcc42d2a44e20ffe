"""Base and adapter as one model that transformers alone loads, checked before it has its name.

Everything is done in fp32, which is what is written: in bf16 merging rounds the weights once more,
and now and then a word differs. What was written is loaded again and must translate some of the
run's own test sources as base and adapter do, greedily and with beams. One model is in memory at a
time.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mtlab.errors import InputError, MtlabError, NotAvailable
from mtlab.presets import Base, resolve_base
from mtlab.results.reading import read_segments
from mtlab.runs.files import FULL, cannot_write
from mtlab.runs.store import RunRecord
from mtlab.settings import Settings
from mtlab.spec import Decoding, Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis
    from mtlab.models import Loaded

PROBES = 8
"""Test sources that are translated to check a merge, or one a direction where there are more."""

_SHARD = "5GB"

Answers = dict[tuple[Direction, str], "list[Hypothesis]"]


def merge(record: RunRecord, folder: Path, settings: Settings) -> Path:
    """Write the merged weights of a run, and its tokenizer.

    Args:
        record: a finished run of LoRA (`mtlab.sharing.chosen`).
        folder: to be made; it appears whole, or not at all.
        settings: the lab's.

    Returns:
        The folder, absolute.

    Raises:
        InputError: the folder is there and not empty, or the base cannot be loaded.
        NotAvailable: the merged model translates otherwise, memory or disk do not suffice, or the
            folder cannot be written.
    """
    folder = folder.expanduser().absolute()
    with new_folder(folder) as part:
        merge_into(part, record, settings)
    return folder


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder under another name, which gets its own when all has gone well, and else is removed.

    Raises:
        InputError: there is something of that name already, or it cannot be written.
        NotAvailable: the disk is full.
    """
    try:
        taken = folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))
    except OSError:
        taken = True
    if taken:
        raise InputError(
            f"'{folder}' is there already", field="folder", fix="name a folder that is not"
        )
    part = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        yield part
        part.chmod(0o755)  # as any other folder: it was made for this user alone
        part.replace(folder)
    except BaseException as error:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
        if isinstance(error, OSError):
            raise _cannot_write(error, folder) from None
        raise


def _cannot_write(error: OSError, folder: Path) -> MtlabError:
    if error.errno in FULL:
        return cannot_write(error, folder)
    return InputError(
        f"'{folder}' cannot be written",
        field="folder",
        why=error.strerror or str(error),
        fix="name another folder",
    )


def probes_of(spec: RunSpec, folder: Path) -> dict[Direction, list[str]]:
    """Some of a run's own test sources, from every direction that it tested."""
    each = max(1, PROBES // len(spec.tested))
    found = {}
    for direction in spec.tested:
        sources = [row["source"] for row in read_segments(folder, direction)]
        found[direction] = list(dict.fromkeys(one for one in sources if one.strip()))[:each]
    return found


def merge_into(part: Path, record: RunRecord, settings: Settings) -> None:
    """Write the merged weights into a folder that is there, and check them; raises as `merge`."""
    from safetensors import SafetensorError

    from mtlab.models import quiet, set_threads

    set_threads(settings)
    spec = record.spec
    probes = probes_of(spec, record.folder)
    expected = _of_adapter(record, probes, settings)
    loaded = _merged(record, settings)
    try:
        with quiet():
            loaded.model.save_pretrained(str(part), safe_serialization=True, max_shard_size=_SHARD)
            loaded.tokenizer.save_pretrained(str(part))
    except SafetensorError as error:  # its word for what the system refuses, the number left out
        number = errno.ENOSPC if "No space left" in str(error) else errno.EIO
        raise OSError(number, str(error)) from None
    del loaded
    compare(expected, _of_folder(part, spec, probes, settings), record.id)


def compare(expected: Answers, found: Answers, run: str) -> None:
    """Hold the merged model's answers against those of base and adapter.

    Raises:
        NotAvailable: one is not the same; says which.
    """
    for (direction, strategy), answers in expected.items():
        for place, (one, other) in enumerate(
            zip(answers, found[direction, strategy], strict=True), start=1
        ):
            if one != other:
                raise NotAvailable(
                    f"the merged weights of run '{run}' do not translate as base and adapter do",
                    why=f"{direction}, {strategy}, test sentence {place}: '{other.text}' instead "
                    f"of '{one.text}'",
                    fix="nothing was written; use the adapter, which is the run's own",
                )


def _of_adapter(
    record: RunRecord, probes: Mapping[Direction, list[str]], settings: Settings
) -> Answers:
    """What the base answers with the adapter beside it."""
    from mtlab.models import Adapter, SharedBase, load, saved_model

    spec = record.spec
    base = resolve_base(spec.base, settings)
    loaded = load(base, precision="fp32", revision=spec.revision, settings=settings)
    tuned = SharedBase(loaded).switched(Adapter.at(saved_model(record.folder)))
    return _answers(tuned, spec, probes)


def _merged(record: RunRecord, settings: Settings) -> Loaded:
    from mtlab.models import load_run

    return load_run(record.folder, record.spec, settings, precision="fp32")


def _of_folder(
    folder: Path, spec: RunSpec, probes: Mapping[Direction, list[str]], settings: Settings
) -> Answers:
    """What a folder answers that was written, loaded as anybody would."""
    from mtlab.models import load

    written = Base(name=folder.name, title="the merged model", path=folder)
    return _answers(load(written, precision="fp32", settings=settings), spec, probes)


def _answers(loaded: Loaded, spec: RunSpec, probes: Mapping[Direction, list[str]]) -> Answers:
    from mtlab.decoding import translate
    from mtlab.prompts import Template

    template = Template.from_spec(spec, loaded.tokenizer)
    limit = spec.decoding.max_new_tokens
    beams = Decoding(beams=max(2, spec.decoding.beams), max_new_tokens=limit)
    greedy = Decoding(strategy="greedy", max_new_tokens=limit)
    return {
        (direction, decoding.strategy): translate(loaded, sources, direction, decoding, template)
        for direction, sources in probes.items()
        for decoding in (beams, greedy)
    }
