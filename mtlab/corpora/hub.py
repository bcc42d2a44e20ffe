"""A data set on the Hugging Face hub, streamed: its first rows, and no more than is asked for.

The name is `hub:OWNER/NAME` followed by options, each after a comma:

    config=de-en          the data set's configuration
    split=train           which split to read (train)
    source=de_text        the column of the source text
    target=en_text        the column of the target text
    direction=de-en       the languages of those columns
    rows=10000            how many rows at most (10,000; 1,000,000 are allowed)
    revision=...          a commit or tag

Without columns, a `translation` column or columns named by language codes are used. Rows that lack
a text are passed over. What was read is kept in the cache folder, so that the run itself, and a run
that is resumed, sees what was checked. A data set's own code is never run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mtlab.corpora.cache import keep
from mtlab.corpora.files import MAX_CHARACTERS, MAX_ROWS, Row, row_of
from mtlab.corpora.multiway import MultiwayCorpus
from mtlab.corpora.own import Use, divide
from mtlab.errors import InputError, NotAvailable
from mtlab.json_text import parse_json
from mtlab.settings import Settings
from mtlab.spec import Direction

PREFIX = "hub:"
DEFAULT_ROWS = 10_000

_OPTIONS = ("config", "split", "source", "target", "direction", "rows", "revision")


@dataclass(frozen=True)
class HubName:
    """What a `hub:` name asks for."""

    repo: str
    config: str | None = None
    split: str = "train"
    source: str | None = None
    target: str | None = None
    direction: Direction | None = None
    rows: int = DEFAULT_ROWS
    revision: str | None = None

    @classmethod
    def parse(cls, name: str) -> HubName:
        """Read `hub:owner/name,config=de-en,...`.

        Raises:
            InputError: not such a name, or an option that does not exist.
        """
        repo, *parts = (part.strip() for part in name.removeprefix(PREFIX).split(","))
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", repo):
            raise InputError(
                f"'{repo}' is not the name of a data set",
                field="corpus",
                fix="write hub:OWNER/NAME",
            )
        options: dict[str, str] = {}
        for part in parts:
            key, _, value = part.partition("=")
            if key not in _OPTIONS or not value:
                raise InputError(
                    f"'{part}' is not an option of a data set",
                    field="corpus",
                    fix=f"use {', '.join(f'{option}=' for option in _OPTIONS)}",
                )
            options[key] = value
        direction = options.pop("direction", None)
        rows = options.pop("rows", str(DEFAULT_ROWS))
        if not rows.isdecimal() or not 2 <= int(rows) <= MAX_ROWS:
            raise InputError(
                f"'{rows}' is not a number of rows", field="corpus", fix=f"give 2 to {MAX_ROWS:,}"
            )
        wanted = cls(
            repo=repo,
            direction=Direction.parse(direction, field="corpus") if direction else None,
            rows=int(rows),
            **options,
        )
        columns = (wanted.source, wanted.target)
        if any(columns) and not (all(columns) and wanted.direction):
            raise InputError(
                "the columns of the data set are half named",
                field="corpus",
                fix="give source=, target= and direction= together",
            )
        return wanted


def open_hub(name: str, use: Use, settings: Settings) -> MultiwayCorpus:
    """The first rows of a data set on the hub.

    Raises:
        InputError: the name, a column or the data set itself does not exist.
        NotAvailable: the hub cannot be reached, or the data set is gated.
    """
    wanted = HubName.parse(name)
    rows = _cached(name, wanted, settings)
    train, test = divide(rows, use)
    licence = "as its page on the hub says"
    return MultiwayCorpus(
        name, f"the data set {wanted.repo}", licence, train, test, label=wanted.repo
    )


def _cached(name: str, wanted: HubName, settings: Settings) -> dict[int, Row]:
    """The rows, read from the hub once."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:24]
    path = settings.cache / "hub" / f"{digest}.json"
    try:
        kept = parse_json(path.read_text(encoding="utf-8"))
        return {int(number): row for number, row in kept.items()}
    except (OSError, ValueError):
        pass
    rows = _rows(_stream(wanted, settings), wanted)
    keep(path, json.dumps(rows, ensure_ascii=False))
    return rows


def _stream(wanted: HubName, settings: Settings) -> Iterable[Mapping[str, Any]]:
    """The data set's records, one after another; the first is fetched at once."""
    if settings.offline:
        raise NotAvailable(
            f"the data set {wanted.repo} cannot be read",
            why="HF_HUB_OFFLINE is set",
            fix="unset it, or give a file instead",
        )
    _reach(wanted)
    import datasets
    from datasets.exceptions import DatasetNotFoundError

    # No token is passed: the hub's own library finds the one a person has logged in with.
    try:
        records = datasets.load_dataset(
            wanted.repo,
            wanted.config,
            split=wanted.split,
            streaming=True,
            revision=wanted.revision,
        )
        yield from records
    except DatasetNotFoundError as error:
        raise (_gated(wanted) if "gated" in str(error) else _unknown(wanted)) from error
    except (ConnectionError, TimeoutError) as error:
        raise _unreachable(wanted, error) from error
    except (ValueError, RuntimeError) as error:
        # An unknown configuration or split, or a data set that would have to run its own code.
        raise InputError(
            f"the data set {wanted.repo} cannot be read so",
            field="corpus",
            why=_first_line(error),
            fix="check config= and split=, or give a file instead",
        ) from error
    except Exception as error:
        raise _unreachable(wanted, error) from error


def _reach(wanted: HubName) -> None:
    """Ask the hub for the data set's page.

    Where the hub does not answer this fails at once; reading the data set would try again, and
    write about it, for a minute.

    Raises:
        InputError: there is no such data set or revision.
        NotAvailable: the hub cannot be reached, or the data set is gated.
    """
    from huggingface_hub import HfApi, errors

    try:
        HfApi().dataset_info(wanted.repo, revision=wanted.revision, timeout=20)
    except errors.GatedRepoError as error:
        raise _gated(wanted) from error
    except errors.RevisionNotFoundError as error:
        raise InputError(
            f"the data set {wanted.repo} has no such revision",
            field="corpus",
            fix="check revision=",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise _unknown(wanted) from error
    except Exception as error:  # noqa: BLE001 - every failure of the hub becomes a sentence
        raise NotAvailable(
            f"the model hub cannot be reached for the data set {wanted.repo}",
            why="no answer",
            fix="check the network, or give a file instead",
        ) from error


def _gated(wanted: HubName) -> NotAvailable:
    return NotAvailable(
        f"the data set {wanted.repo} is gated",
        fix="ask for access on its page and log in with 'hf auth login'",
    )


def _unknown(wanted: HubName) -> InputError:
    return InputError(
        f"the data set {wanted.repo} is not on the hub",
        field="corpus",
        why="or it is private",
        fix="check its name, or log in with 'hf auth login'",
    )


def _rows(records: Iterable[Mapping[str, Any]], wanted: HubName) -> dict[int, Row]:
    """The first usable rows, by their number in the data set."""
    rows: dict[int, Row] = {}
    for number, record in enumerate(records, start=1):
        if len(rows) >= wanted.rows or number > 2 * wanted.rows:
            break
        row = _row(record, wanted)
        if all(text.strip() and len(text) <= MAX_CHARACTERS for text in row.values()):
            rows[number] = {code: " ".join(text.split()) for code, text in row.items()}
    if len(rows) < 2:
        raise InputError(
            f"the data set {wanted.repo} has no two usable rows",
            field="corpus",
            fix="choose another split",
        )
    return rows


def _row(record: Mapping[str, Any], wanted: HubName) -> Row:
    if wanted.source and wanted.target and wanted.direction:
        for column in (wanted.source, wanted.target):
            if column not in record:
                raise InputError(
                    f"the data set {wanted.repo} has no column '{column}'",
                    field="corpus",
                    fix=f"use one of {', '.join(record)}",
                )
        texts = {
            wanted.direction.source: record[wanted.source],
            wanted.direction.target: record[wanted.target],
        }
        return {code: text if isinstance(text, str) else "" for code, text in texts.items()}
    try:
        return row_of(record, wanted.direction)
    except InputError:
        raise InputError(
            f"the data set {wanted.repo} has no columns of two known languages",
            field="corpus",
            why=f"it has {', '.join(record)}",
            fix="name them with source=, target= and direction=",
        ) from None


def _unreachable(wanted: HubName, error: Exception) -> NotAvailable:
    return NotAvailable(
        f"the data set {wanted.repo} cannot be read from the hub",
        why=_first_line(error),
        fix="check the connection, or give a file instead",
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
