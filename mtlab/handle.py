"""A handle on one run: what it said, what it scored, how it is stopped and waited for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlab.errors import InputError, MtlabError, NotAvailable
from mtlab.executors import check_devices
from mtlab.results.reading import read_scores, summary_of, translations_frame
from mtlab.runs.attending import attend
from mtlab.runs.events import Event
from mtlab.runs.fitting import as_used
from mtlab.runs.moving import Where
from mtlab.runs.needs import unmet
from mtlab.runs.placement import RAY, placement_of
from mtlab.runs.status import RESUMABLE, Status
from mtlab.runs.store import RunRecord
from mtlab.secrecy import redacted
from mtlab.spec import Direction, RunSpec

if TYPE_CHECKING:
    import pandas

    from mtlab.decoding import Hypothesis
    from mtlab.lab import Lab
    from mtlab.sharing.packing import Package, Wanted
    from mtlab.sharing.pushing import Visibility
    from mtlab.sharing.share import Made

POLL_SECONDS = 0.2


class Run:
    """A handle on one run; holds no state, so that any number may point at the same one."""

    def __init__(self, lab: Lab, record: RunRecord) -> None:
        self._lab = lab
        self._store = lab.store
        self.id = record.id
        self.spec = record.spec
        self.folder: Path = record.folder

    def status(self) -> Status:
        """How it stands now.

        Raises:
            InputError: it was deleted.
        """
        return self._store.status(self.id)

    def spec_as_used(self) -> RunSpec:
        """Its spec with the batches that it really had, smaller where memory was short.

        Raises:
            InputError: it was deleted.
        """
        return as_used(self.spec, self.status().halved, self.folder)

    def events(self, after: int = 0) -> list[Event]:
        """What happened after the event of that number."""
        return list(self._store.events(self.id, after))

    def wait(
        self,
        timeout: float | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Status:
        """Wait until it is over, or `timeout` seconds have passed.

        Also brings it there: this process supervises the queue while the run waits in it, and a
        run that was asked to stop is made to, even if no other process looks after the home.

        Args:
            timeout: seconds; None waits for as long as it takes.
            on_event: called with every event from the last attempt's first on.

        Returns:
            The status as it is then. Of a run that was discarded meanwhile, the last one known,
            as `stopped`.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            status = self.status()
        except InputError:
            return Status(self.id, state="stopped")
        seen = status.since
        if status.state == "queued" and status.attempts:
            seen = max((event.seq for event in self.events()), default=0)
        while True:
            try:
                latest: Status | None = status
                with contextlib.suppress(OSError, NotAvailable):
                    latest = attend(self._store, self.id)  # a full disk cannot take the end yet
                status = self.status()
            except InputError:
                return status.with_changes(state="stopped")
            if latest is None:
                return status.with_changes(state="stopped")
            for event in self._store.log(self.id).read(seen):
                seen = event.seq
                if on_event is not None:
                    on_event(event)
            if status.is_over or (deadline is not None and time.monotonic() >= deadline):
                return status
            if status.state == "queued" or status.goes_on:
                self._lab.supervise()
            time.sleep(POLL_SECONDS)

    def stop(self, keep: bool = True) -> None:
        """Ask it to end; `wait` returns when its process is gone.

        Args:
            keep: save what it has learnt, so that it translates and can be resumed. Otherwise the
                run is deleted when its process is gone.

        Raises:
            InputError: it is already over.
        """
        self._store.request_stop(self.id, keep)
        self._lab.supervise()

    def resume(self, *, devices: int | None = None) -> None:
        """Queue it again: it goes on from its newest complete checkpoint.

        Args:
            devices: how many devices share its work from now on; as before when not given.

        Raises:
            InputError: it waits, runs or has finished, or there are not so many devices: here, or
                on the cluster that it lives on, which is asked.
        """
        if devices is not None:
            self._check_cluster(devices)
        self._store.requeue(self.id, devices)
        self._lab.supervise()

    def _check_cluster(self, devices: int) -> None:
        status, placement = self.status(), placement_of(self.folder)
        if placement is not None and status.wants == RAY and status.state in RESUMABLE:
            spec = self.spec.with_changes(devices=devices)
            check_devices(placement, status.devices, spec.devices, self._lab.settings)

    def move(self, where: Where) -> None:
        """Move it within the queue, which it waits in.

        Args:
            where: `front` or `back` of the queue, `up` or `down` past its neighbour; nothing
                happens where it stands there already.

        Raises:
            InputError: it does not wait, or there is no such place.
        """
        self._store.move(self.id, where)

    def waits_for(self) -> tuple[str, ...]:
        """The ids of the runs that must finish before it starts, while it is queued."""
        status = self.status()
        return unmet(self._store, status) if status.state == "queued" else ()

    def delete(self) -> None:
        """Remove it and everything it made.

        Raises:
            InputError: it is running.
        """
        self._store.delete(self.id)

    def scores(self) -> dict[str, Any]:
        """`{direction: {metric: {value, low, high, n, signature, seed}, "failures": {...}}}`."""
        scores: dict[str, Any] = read_scores(self.folder)["scores"]
        return scores

    def base_scores(self) -> dict[str, Any]:
        """The untuned base model's scores, in the same shape."""
        scores: dict[str, Any] = read_scores(self.folder)["base"]
        return scores

    def translations(self, direction: Direction | str) -> pandas.DataFrame:
        """Source, reference, hypothesis, base, failures and more, a row per segment.

        Raises:
            InputError: it has not translated that direction.
        """
        return translations_frame(self.folder, Direction.of(direction))

    def translate(self, sources: Sequence[str], direction: Direction | str) -> list[Hypothesis]:
        """Translate with the model it made."""
        return self._lab.translate(self.id, sources, direction)

    def merge(self, folder: str | Path) -> Path:
        """Write its adapter merged into its base: a model that transformers alone loads.

        Before the folder has its name, what was written is loaded again and must translate some
        of the run's test sources as base and adapter do, token for token.

        Args:
            folder: to be made; it appears whole, or not at all.

        Returns:
            The folder, absolute.

        Raises:
            InputError: it has not finished, it has no adapter, or the folder is there already.
            NotAvailable: the merged model translates otherwise, or this machine cannot write it.
        """
        from mtlab.sharing.chosen import check_mergeable
        from mtlab.sharing.merging import merge

        record = self._store.get(self.id)
        check_mergeable(record, self.status())
        return merge(record, Path(folder), self._lab.settings)

    def share(
        self,
        name: str,
        *,
        weights: Wanted = "own",
        visibility: Visibility = "public",
        to: str | Path | None = "hub",
        on_packed: Callable[[Package], None] | None = None,
    ) -> Made:
        """Push what it made to the model hub, with a card that says what it is worth.

        Args:
            name: OWNER/NAME.
            weights: `own`, which is its adapter or its model; or `merged`, base and adapter as one.
            visibility: `public` or `private`, of a repository that is made.
            to: `hub`; a folder to write instead; or None, and nothing is left.
            on_packed: told what would be pushed, before it is.

        Returns:
            The repository's address, and what is in it.

        Raises:
            InputError: it has not finished; or the name, the token or the folder is no good.
            NotAvailable: the hub cannot be reached, or this machine cannot write or merge.
        """
        from mtlab.sharing.share import share

        return share(
            self._store.get(self.id),
            self.status(),
            name,
            self._lab.settings,
            weights=weights,
            visibility=visibility,
            to=to,
            on_packed=on_packed,
        )

    def summary(self) -> dict[str, Any]:
        """The run in one JSON object: `{id, state, seconds, scores, base, system}`, `error` if
        any; `system` is what its own translations are called: `fine-tuned`, `few-shot` ...
        """
        try:
            status = self.status()
        except MtlabError:
            status = Status(self.id, state="stopped")
        return {**summary_of(self.folder, status), "system": self.spec.system}

    def log_tail(self, lines: int = 50) -> str:
        """The last lines of its `job.log`, rid of tokens; empty before it began."""
        try:
            with open(self.folder / "job.log", "rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - 400 * lines))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        return redacted("\n".join(text.splitlines()[-lines:]))

    def __repr__(self) -> str:
        return f"Run({self.id!r})"
