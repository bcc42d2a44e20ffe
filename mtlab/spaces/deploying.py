"""A Space made or renewed over the hub's interface. What is refused is refused before the push."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlab.errors import InputError, MtlabError, NotAvailable
from mtlab.sharing.rights import check_rights, no_token
from mtlab.spaces import refusals
from mtlab.spaces.assembling import SpaceFile, write
from mtlab.spaces.hardware import Hardware

if TYPE_CHECKING:
    from huggingface_hub import HfApi, SpaceInfo

_PATIENCE = 20  # seconds for the first answer
_KIND = "space"
_OURS = ["assets/*", "mtlab/*"]  # of an older version, what is no longer part of the lab goes


@dataclass(frozen=True)
class Deployment:
    """What is put where.

    Attributes:
        name: the Space, as `OWNER/NAME`.
        hardware: what it runs on.
        files: what is pushed.
        variables: set there, for everybody to read.
        secrets: set there, for nobody to read.
        private: whether it is kept from others.
    """

    name: str
    hardware: Hardware
    files: tuple[SpaceFile, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    private: bool = False

    def __post_init__(self) -> None:
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

        owner, slash, rest = self.name.partition("/")
        try:
            validate_repo_id(self.name)
        except HFValidationError:
            slash = ""
        if not (owner and slash and rest):
            raise InputError(f"'{self.name}' names no Space", field="space", fix="write OWNER/NAME")
        if both := sorted(set(self.variables) & set(self.secrets)):
            raise InputError(
                f"'{both[0]}' is a variable as well", field="--secret", fix="give it once"
            )

    @property
    def owner(self) -> str:
        """The account or organisation it belongs to."""
        return self.name.partition("/")[0]

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(file.size for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """What would be pushed; of the secrets the names alone."""
        return {
            "space": self.name,
            "hardware": self.hardware.name,
            "private": self.private,
            "files": [
                {"path": file.path, "bytes": file.size, "lfs": file.is_lfs} for file in self.files
            ],
            "variables": dict(self.variables),
            "secrets": list(self.secrets),
        }


def create(deployment: Deployment, api: HfApi) -> str:
    """Make the Space and push to it.

    Args:
        deployment: what is put where.
        api: the hub, with the token of whoever deploys.

    Returns:
        Its address.

    Raises:
        MtlabError: why not, in a sentence; before anything is made, wherever it can be known.
    """
    with _sentences(deployment, api):
        if _space(deployment, api) is not None:
            raise refusals.taken(deployment.name)
        _check_rights(deployment, api)
        # With the Space itself, so that it never starts without them.
        api.create_repo(
            deployment.name,
            repo_type=_KIND,
            private=deployment.private or None,  # as an organisation's default may be
            space_sdk="gradio",
            space_hardware=deployment.hardware.name,  # type: ignore[arg-type]
            space_variables=_listed(deployment.variables),
            space_secrets=_listed(deployment.secrets),
        )
    with _sentences(deployment, api, _half_done):
        _upload(deployment, api)
    return address_of(deployment, api)


def renew(deployment: Deployment, api: HfApi) -> str:
    """Push to a Space that is there, and set its variables, secrets and hardware.

    Variables and secrets that the deployment does not name stay as they are, and a private Space
    stays private.

    Args:
        deployment: what is put where.
        api: the hub, with the token of whoever deploys.

    Returns:
        Its address.

    Raises:
        MtlabError: why not, in a sentence; before anything is changed, wherever it can be known.
    """
    name = deployment.name
    with _sentences(deployment, api):
        space = _space(deployment, api)
        if space is None:
            raise InputError(
                f"there is no Space '{name}' to update", field="space", fix="leave --update out"
            )
        _check_rights(deployment, api)
        if deployment.private and not space.private:
            api.update_repo_settings(name, repo_type=_KIND, private=True)
        for key, value in deployment.variables.items():
            api.add_space_variable(name, key, value)
        for key, value in deployment.secrets.items():
            api.add_space_secret(name, key, value)
        _upload(deployment, api)
        if api.get_space_runtime(name).requested_hardware != deployment.hardware.name:
            api.request_space_hardware(name, deployment.hardware.name)  # type: ignore[arg-type]
    return address_of(deployment, api)


def address_of(deployment: Deployment, api: HfApi) -> str:
    """Where the Space is looked at."""
    return f"{api.endpoint}/spaces/{deployment.name}"


def _space(deployment: Deployment, api: HfApi) -> SpaceInfo | None:
    """What is there under that name; the first call, which is the one that waits for an answer."""
    from huggingface_hub import get_token
    from huggingface_hub.errors import RepositoryNotFoundError

    if not (api.token or get_token()):
        raise no_token()
    try:
        return api.space_info(deployment.name, timeout=_PATIENCE)
    except RepositoryNotFoundError:
        return None


def _check_rights(deployment: Deployment, api: HfApi) -> None:
    """Refuse a token that may not write there, as far as the hub tells."""
    me = api.whoami()
    check_rights(deployment.name, me)
    if not deployment.hardware.is_free and me.get("canPay") is False:
        raise NotAvailable(
            f"'{deployment.hardware.name}' costs money by the hour, and the account has no way to "
            "pay",
            fix="add one at https://huggingface.co/settings/billing, or use cpu-basic",
        )


def _upload(deployment: Deployment, api: HfApi) -> None:
    with tempfile.TemporaryDirectory(prefix="mtlab-space-") as folder:
        write(deployment.files, Path(folder))
        api.upload_folder(
            repo_id=deployment.name,
            repo_type=_KIND,
            folder_path=folder,
            commit_message="mtlab",
            delete_patterns=_OURS,
        )


def _listed(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _half_done(error: MtlabError) -> MtlabError:
    return NotAvailable(
        "the Space was made, and nothing could be pushed to it",
        why=error.sentence(),
        fix="call it again with --update",
    )


@contextmanager
def _sentences(
    deployment: Deployment,
    api: HfApi,
    told: Callable[[MtlabError], MtlabError] = lambda error: error,
) -> Iterator[None]:
    """Every failure of the hub as a sentence that repeats no secret."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the hub's client raises many kinds
        secrets = deployment.secrets.values()
        said = refusals.explained(error, deployment.name, api.endpoint, secrets)
        raise told(said) from None
