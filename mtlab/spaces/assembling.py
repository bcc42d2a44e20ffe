"""The files of a Space, from this copy of the lab: what the lab runs on, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtlab.errors import InputError, NotAvailable
from mtlab.settings import ASSETS
from mtlab.spaces.hardware import Hardware
from mtlab.spaces.readme import readme_for

ROOT = ASSETS.parent

LARGEST_IN_GIT = 10_000_000
"""Bytes; the hub takes larger files through its large-file storage (LFS) alone."""

_AS_THEY_ARE = ("LICENSE", "app.py")
_FOLDERS = ("assets", "mtlab")
_WEIGHTS = "*.safetensors"
_LFS = "filter=lfs diff=lfs merge=lfs -text"


@dataclass(frozen=True)
class SpaceFile:
    """A file of a Space.

    Attributes:
        path: where it lies in the Space, with slashes.
        content: its bytes, or the file of this machine that has them.
    """

    path: str
    content: bytes | Path

    @property
    def size(self) -> int:
        """In bytes."""
        if isinstance(self.content, Path):
            return self.content.stat().st_size
        return len(self.content)

    @property
    def is_lfs(self) -> bool:
        """Whether it goes to the large-file storage: weights, and whatever is too large for git."""
        return self.path.endswith(_WEIGHTS[1:]) or self.size > LARGEST_IN_GIT

    def read(self) -> bytes:
        """Its bytes."""
        return self.content.read_bytes() if isinstance(self.content, Path) else self.content


def assemble(
    hardware: Hardware, preload: Sequence[str] = (), root: Path = ROOT
) -> tuple[SpaceFile, ...]:
    """The files of a Space, ordered by their paths.

    Args:
        hardware: what it is made for.
        preload: models of the hub that Spaces fetches when it builds the image.
        root: the copy of the lab that it is made from.

    Raises:
        NotAvailable: this copy of the lab is not whole.
    """
    missing = [
        name
        for name in (*_AS_THEY_ARE, *_FOLDERS, "README.md", "requirements.txt")
        if not (root / name).exists()
    ]
    if missing:
        raise NotAvailable(
            "a Space cannot be made from this copy of the lab",
            why=f"'{missing[0]}' is not there",
            fix="call it from a clone of the whole repository",
        )
    files = [SpaceFile(name, root / name) for name in _AS_THEY_ARE]
    for folder in _FOLDERS:
        files += [
            SpaceFile(path.relative_to(root).as_posix(), path) for path in _below(root / folder)
        ]
    requirements = hardware.requirements(_text(root / "requirements.txt"))
    files.append(SpaceFile("requirements.txt", requirements.encode()))
    readme = readme_for(hardware, preload, _text(root / "README.md"))
    files.append(SpaceFile("README.md", readme.encode()))
    files.append(SpaceFile(".gitattributes", _attributes(files).encode()))
    return tuple(sorted(files, key=lambda file: file.path))


def write(files: Sequence[SpaceFile], folder: Path) -> None:
    """Write a Space's files into a new or an empty folder.

    Raises:
        InputError: there is something already, or it cannot be written.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                f"'{folder}' is not an empty folder", field="output", fix="name a new one"
            )
        for file in files:
            place = folder / file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read())
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be written", field="output", why=error.strerror, fix="name another"
        ) from None


def _below(folder: Path) -> Iterator[Path]:
    """The files below a folder, without caches and what editors and systems leave behind."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~") or path.name == "__pycache__":
            continue
        if path.is_dir():
            yield from _below(path)
        elif path.suffix != ".pyc":
            yield path


def _attributes(files: Sequence[SpaceFile]) -> str:
    """Git's word for what is kept as LFS, so that the folder can be pushed by hand as well."""
    large = [file.path for file in files if file.is_lfs and not file.path.endswith(_WEIGHTS[1:])]
    return "".join(f"{pattern} {_LFS}\n" for pattern in (_WEIGHTS, *large))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
