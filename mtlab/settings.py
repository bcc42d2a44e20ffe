"""What the environment decides: where things lie and what this lab allows."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mtlab.errors import InputError

ASSETS = Path(__file__).resolve().parent.parent / "assets"

TOKEN_VARIABLE = "MTLAB_RUN_TOKEN"
"""The variable that a run's processes, and no others, have."""

LENT_GB = {"large": 48, "xlarge": 96}
"""Memory of what ZeroGPU lends, half or the whole of an RTX Pro 6000 Blackwell, in GB
(https://huggingface.co/docs/hub/spaces-zerogpu); before, it lent an H200 with 70 and 141.
"""

_DEVICE = re.compile(r"cpu|cuda:\d+")
_PLACE = re.compile(r"[/~.].*|[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Door:
    """Who may do what over the network, and how much of it; the machine's own user is free.

    Attributes:
        auth_file: names and hashed passwords of those who may launch (`MTLAB_AUTH_FILE`).
        allow: on Spaces, the Hugging Face names that may launch; `*` is everyone who is signed in
            (`MTLAB_ALLOW`, separated by commas, as all lists here).
        admins: those who stop and delete everybody's runs (`MTLAB_ADMINS`); of an auth file, the
            lines that say so count as well.
        hosts: the names under which the lab is reached (`MTLAB_HOSTS`), where a proxy stands
            before it; empty means this machine's own when bound to it, and any otherwise.
        roots: folders below which a spec may name files and models (`MTLAB_ROOTS`).
        models: the models that may be named, as patterns such as `nano` and `Qwen/*`; empty means
            all that can be named (`MTLAB_MODELS`).
        max_queued_each: runs of one person that may wait or run at once
            (`MTLAB_MAX_QUEUED_EACH`); 0 is no limit, here and below.
        max_pairs: the largest training size (`MTLAB_MAX_PAIRS`).
        max_model_millions: the largest model, in millions of parameters
            (`MTLAB_MAX_MODEL_MILLIONS`).
        max_kept_mb: what all uploads kept in the home may take (`MTLAB_MAX_KEPT_MB`).
        min_free_mb: nothing is launched or uploaded when the disk has less (`MTLAB_MIN_FREE_MB`).
        translations: live translations of one person in a minute (`MTLAB_TRANSLATIONS_A_MINUTE`).
    """

    auth_file: Path | None = None
    allow: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    roots: tuple[Path, ...] = ()
    models: tuple[str, ...] = ()
    max_queued_each: int = 20
    max_pairs: int = 0
    max_model_millions: int = 0
    max_kept_mb: int = 2000
    min_free_mb: int = 500
    translations: int = 20

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Door:
        """Read it.

        Raises:
            InputError: a number that is not one.
        """
        file = env.get("MTLAB_AUTH_FILE")
        return cls(
            auth_file=Path(file).expanduser().absolute() if file else None,
            allow=_list(env, "MTLAB_ALLOW"),
            admins=_list(env, "MTLAB_ADMINS"),
            hosts=tuple(name.lower() for name in _list(env, "MTLAB_HOSTS")),
            roots=tuple(Path(one).expanduser().resolve() for one in _list(env, "MTLAB_ROOTS")),
            models=_list(env, "MTLAB_MODELS"),
            max_queued_each=_whole_number(env, "MTLAB_MAX_QUEUED_EACH", 20),
            max_pairs=_whole_number(env, "MTLAB_MAX_PAIRS", 0),
            max_model_millions=_whole_number(env, "MTLAB_MAX_MODEL_MILLIONS", 0),
            max_kept_mb=_whole_number(env, "MTLAB_MAX_KEPT_MB", 2000),
            min_free_mb=_whole_number(env, "MTLAB_MIN_FREE_MB", 500),
            translations=_whole_number(env, "MTLAB_TRANSLATIONS_A_MINUTE", 20),
        )


@dataclass(frozen=True)
class Settings:
    """The lab's settings, read once from `MTLAB_*`.

    A node of a cluster reads `MTLAB_SCRATCH` besides, where what comes to it is kept
    (`mtlab.cluster.scratch`).

    Attributes:
        home: where `lab.db` and `runs/` lie (`MTLAB_HOME`).
        comet_python: an interpreter that has unbabel-comet, used as it is (`MTLAB_COMET_PYTHON`).
        comet_env: where the COMET environment is built otherwise (`MTLAB_COMET_ENV`).
        threads: CPU threads a run may use (`MTLAB_THREADS`); 0 means all cores. On
            Spaces its own cores (`CPU_CORES`) when not given.
        devices: the devices runs may hold, such as `cuda:1` or `cpu` (`MTLAB_DEVICES`, separated by
            commas); empty means every GPU, or the CPU where there is none.
        max_queued: how many runs may wait at once (`MTLAB_MAX_QUEUED`).
        max_upload_mb: the largest file a person may bring, in MB (`MTLAB_MAX_UPLOAD_MB`).
        resident_mb: what the models kept for translating live may take, in MB
            (`MTLAB_RESIDENT_MB`); the one in use is kept even where it alone takes more.
        spare_minutes: how long, after somebody has looked at the Launch form, a process stands
            ready to be the next run (`MTLAB_SPARE_MINUTES`); 0 is never, and then this machine is
            not measured by itself either.
        backup: where the app copies runs that have ended, and whence they come back to an empty
            home: a folder, or a private dataset of the hub as `OWNER/NAME` (`MTLAB_BACKUP`).
        lent_seconds: for how long a visitor of a ZeroGPU Space lends a GPU at a time
            (`MTLAB_ZERO_SECONDS`, 120); 0 everywhere else.
        lent_size: how much of a card is asked for then (`MTLAB_ZERO_SIZE`): `large`, which is half
            of one, or `xlarge`, the whole at twice the quota.
        lent_gb: the memory that so much is taken to have, in GB (`MTLAB_ZERO_GB`); 48 and 96 as
            Hugging Face documents them.
        mcp: offer the HTTP API as MCP tools as well (`MTLAB_MCP=1`).
        compile: train with layers that `torch.compile` has compiled, where that may pay: on one
            GPU, in long runs (`MTLAB_COMPILE=1`; `mtlab.training.kernels`).
        offline: never ask a model hub (`HF_HUB_OFFLINE`, as the hub's own library reads it).
        door: who may do what over the network.
        confined: the only folders whose files may be opened by name; None is no limit. It is no
            variable: `mtlab.access` sets it for what is asked over the network.
    """

    home: Path
    comet_python: Path | None
    comet_env: Path
    threads: int = 0
    devices: tuple[str, ...] = ()
    max_queued: int = 1000
    max_upload_mb: int = 50
    resident_mb: int = 2048
    spare_minutes: int = 10
    backup: str = ""
    lent_seconds: int = 0
    lent_size: str = "large"
    lent_gb: int = 48
    mcp: bool = False
    compile: bool = False
    offline: bool = False
    door: Door = field(default_factory=Door)
    confined: tuple[Path, ...] | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Raises:
            InputError: a number, a device or a place that is none.
        """
        env = os.environ if environment is None else environment
        home = Path(env.get("MTLAB_HOME") or Path.home() / ".mtlab").expanduser().absolute()
        python = env.get("MTLAB_COMET_PYTHON")
        size = _lent_size(env)
        return cls(
            home=home,
            comet_python=Path(python).expanduser() if python else None,
            comet_env=Path(env.get("MTLAB_COMET_ENV") or home / "comet-env").expanduser(),
            threads=_whole_number(env, "MTLAB_THREADS", _cores_of_space(env)),
            devices=_devices(env.get("MTLAB_DEVICES", "")),
            max_queued=_whole_number(env, "MTLAB_MAX_QUEUED", 1000),
            max_upload_mb=_whole_number(env, "MTLAB_MAX_UPLOAD_MB", 50),
            resident_mb=_whole_number(env, "MTLAB_RESIDENT_MB", 2048),
            spare_minutes=_whole_number(env, "MTLAB_SPARE_MINUTES", 10),
            backup=_place(env, "MTLAB_BACKUP"),
            lent_seconds=_lent_seconds(env),
            lent_size=size,
            lent_gb=_whole_number(env, "MTLAB_ZERO_GB", LENT_GB[size]),
            mcp=_yes(env, "MTLAB_MCP"),
            compile=_yes(env, "MTLAB_COMPILE"),
            offline=_yes(env, "HF_HUB_OFFLINE"),
            door=Door.from_environment(env),
        )

    def may_open(self, path: Path) -> bool:
        """Whether a file or folder may be opened by its name; says nothing of whether it is there.

        Links are followed first, so that none leads out of where one may be.
        """
        if self.confined is None:
            return True
        try:
            real = path.expanduser().resolve()
        except (OSError, RuntimeError, ValueError):
            return False
        return any(real.is_relative_to(root) for root in self.confined)

    @property
    def runs(self) -> Path:
        """The folder that holds one folder per run."""
        return self.home / "runs"

    @property
    def uploads(self) -> Path:
        """The files that people brought, each in a folder named by its content."""
        return self.home / "uploads"

    @property
    def sweeps(self) -> Path:
        """Which runs stand for which sweep, a file for each."""
        return self.home / "sweeps"

    @property
    def forgotten(self) -> Path:
        """An empty file for every deleted run whose copy has still to be removed."""
        return self.home / "forgotten"

    @property
    def cache(self) -> Path:
        """What can be made again: translations and scores of bases, converted models and more."""
        return self.home / "cache"


def _yes(env: Mapping[str, str], name: str) -> bool:
    return env.get(name, "").lower() in {"1", "true", "yes", "on"}


def _place(env: Mapping[str, str], name: str) -> str:
    text = env.get(name, "").strip()
    if text and not _PLACE.fullmatch(text):
        raise InputError(
            f"'{text}' is neither a folder nor a dataset",
            field=name,
            fix="give a path such as /data/mtlab, or OWNER/NAME",
        )
    return text


def _list(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    words = (word.strip() for word in env.get(name, "").split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def _devices(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if not _DEVICE.fullmatch(name):
            raise InputError(
                f"'{name}' is no device", field="MTLAB_DEVICES", fix="use cpu, cuda:0, cuda:1 ..."
            )
    return names


def _lent_seconds(env: Mapping[str, str]) -> int:
    """Long enough to load a model, to learn something and to save it."""
    seconds = _whole_number(env, "MTLAB_ZERO_SECONDS", 120)
    if not _yes(env, "SPACES_ZERO_GPU"):
        return 0
    if seconds < 30:
        raise InputError(
            f"{seconds} seconds are too short", field="MTLAB_ZERO_SECONDS", fix="give 30 or more"
        )
    return seconds


def _lent_size(env: Mapping[str, str]) -> str:
    size = env.get("MTLAB_ZERO_SIZE") or "large"
    if size not in LENT_GB:
        fix = f"use {' or '.join(LENT_GB)}"
        raise InputError(f"ZeroGPU lends no '{size}'", field="MTLAB_ZERO_SIZE", fix=fix)
    return size


def _cores_of_space(env: Mapping[str, str]) -> int:
    """A Space's own cores, which it tells; Python counts those of the machine around it."""
    told = env.get("CPU_CORES", "") if env.get("SPACE_ID") else ""
    return int(told) if told.isdecimal() else 0


def _whole_number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise InputError(f"'{text}' is not a whole number", field=name, fix="give 0 or more")
    return value
