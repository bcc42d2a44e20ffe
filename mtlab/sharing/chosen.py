"""Which runs can be shared: those that have finished and have trained something."""

from __future__ import annotations

from mtlab.errors import InputError
from mtlab.models.load import saved_model
from mtlab.runs.status import Status
from mtlab.runs.store import RunRecord

FIELD = "id"


def check_shareable(record: RunRecord, status: Status) -> None:
    """Refuse what has nothing to give.

    Raises:
        InputError: the run has not finished, or trains nothing.
    """
    if not record.spec.training.trains:
        raise InputError(
            f"the run '{record.id}' trained nothing",
            field=FIELD,
            why=f"its method is {record.spec.training.method}",
            fix="name a run of LoRA or full fine-tuning",
        )
    if status.state != "finished":
        mend = "wait for it" if status.state in ("queued", "running") else "resume it"
        raise InputError(
            f"the run '{record.id}' has not finished", field=FIELD, why=status.state, fix=mend
        )
    saved_model(record.folder)


def check_mergeable(record: RunRecord, status: Status) -> None:
    """Refuse what has no adapter.

    Raises:
        InputError: as `check_shareable`, or the run's own model is whole already.
    """
    check_shareable(record, status)
    if saved_model(record.folder).name == "model":
        raise InputError(
            f"the run '{record.id}' was fine-tuned in full and has nothing to merge",
            field=FIELD,
            fix="use it as it is: its folder 'model' is the whole model",
        )
