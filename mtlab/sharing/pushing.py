"""Asking the hub whether a name may be pushed to, and pushing a packed folder there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from mtlab.errors import InputError
from mtlab.runs.files import read_json
from mtlab.settings import Settings
from mtlab.sharing.complaints import explain, offline
from mtlab.sharing.packing import MARK, Package
from mtlab.sharing.rights import check_rights, no_token

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Visibility = Literal["public", "private"]

FIELD = "OWNER/NAME"
TIMEOUT = 20.0
"""Seconds that the hub has for its first answer."""


@dataclass(frozen=True)
class Place:
    """A name on the hub that may be pushed to.

    Attributes:
        name: OWNER/NAME.
        visibility: of a repository that is made.
    """

    name: str
    visibility: Visibility


def check_name(name: str) -> str:
    """The name, if it can be one.

    Raises:
        InputError: it is not OWNER/NAME as the hub has them.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    why = None
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        why = str(error).splitlines()[0].split(":")[0]
    if why is not None or name.count("/") != 1:
        raise InputError(
            f"'{name}' is no name of the hub",
            field=FIELD,
            why=why,
            fix="write OWNER/NAME, in letters, digits, '-', '_' and '.'",
        )
    return name


def check_place(name: str, run: str, visibility: Visibility, settings: Settings) -> Place:
    """Ask the hub, which is not changed, whether a run may be pushed to a name.

    Raises:
        InputError: no token, or one that may not write there; or the name is taken.
        NotAvailable: the hub cannot be reached.
    """
    from huggingface_hub import HfApi, get_token

    check_name(name)
    if settings.offline:
        raise offline(name)
    try:
        if get_token() is None:
            raise no_token()
        api = HfApi()
        there = _look(api, name)
        check_rights(name, api.whoami())
        if there is not None:
            _check_taken(api, name, run, visibility, private=there)
    except Exception as error:  # noqa: BLE001 - every failure of the hub becomes a sentence
        explain(error, name)
    return Place(name, visibility)


def push(package: Package, place: Place) -> str:
    """Make the repository, if it is not there, and upload the folder in one commit or several.

    Returns:
        Its address.

    Raises:
        InputError: the token may not write there after all.
        NotAvailable: the hub cannot be reached, or refuses.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        made = api.create_repo(
            place.name, private=place.visibility == "private", repo_type="model", exist_ok=True
        )
        api.upload_folder(
            repo_id=place.name,
            folder_path=package.folder,
            repo_type="model",
            commit_message=f"Run {package.run}, by mtlab",
        )
    except Exception as error:  # noqa: BLE001 - every failure of the hub becomes a sentence
        explain(error, place.name)
    return str(made)


def _look(api: HfApi, name: str) -> bool | None:
    """Whether the repository is private; None where there is none.

    It is the first question, for it is the one that does not wait for ever.
    """
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        return bool(api.model_info(name, timeout=TIMEOUT).private)
    except RepositoryNotFoundError:
        return None


def _check_taken(api: HfApi, name: str, run: str, visibility: Visibility, *, private: bool) -> None:
    """Refuse a repository that holds anything but the same run, or that more people may see."""
    files = set(api.list_repo_files(name)) - {".gitattributes", "README.md"}
    if files and _run_in(api, name, files) != run:
        raise InputError(
            f"'{name}' is taken", field=FIELD, why="it holds something else", fix="choose another"
        )
    if visibility == "private" and not private:
        raise InputError(
            f"'{name}' is there already, and everybody may see it",
            field="--private",
            fix="make it private on the hub first, or choose another name",
        )


def _run_in(api: HfApi, name: str, files: set[str]) -> str | None:
    """The run that was pushed there; None where none was."""
    if MARK not in files:
        return None
    with TemporaryDirectory() as folder:
        told = read_json(Path(api.hf_hub_download(name, MARK, local_dir=folder))) or {}
    return told.get("run")
