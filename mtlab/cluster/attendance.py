"""One run from the home's side: place it, send what it needs, follow it, fetch what it makes, and
write down how it ended.

All that this needs to go on after it was cut off lies in the run's folder and with the remote job:
the last event that is there, the files that are there, the attempt that names the job.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mtlab.cluster import courier
from mtlab.cluster.facts import Facts, facts_here, refuse_other
from mtlab.cluster.far import Far, Jobs, Lost, Refused, Silent, call
from mtlab.cluster.luggage import at_home, pack
from mtlab.errors import MtlabError
from mtlab.runs.database import enter
from mtlab.runs.files import read_json, write_json
from mtlab.runs.identity import new_token
from mtlab.runs.placement import placement_of
from mtlab.runs.settling import mark_attempt, stop_request
from mtlab.runs.status import MOST_REQUEUES, State, Status
from mtlab.runs.store import RunStore

LOOK_SECONDS = 0.4
FIRST_LOOK_SECONDS = 0.05
"""The pause before the next look doubles from here while nothing happens."""

BEAT_SECONDS = 2.0
_CLOSING_SECONDS = 40.0
_CAME = ".came.json"
_TEXTS = (".json", ".md")
_OF_A_LIVE_RUN = ("phase", "progress", "detail", "seconds", "memory_mb", "halved")
_OF_THE_NODE = (*_OF_A_LIVE_RUN, "error", "ending")


class _Over(Exception):
    """There is nothing more to attend: the run was deleted, ended or given to another."""


class Attendance:
    """Attends one run until its attempt is over.

    Args:
        store: the home's runs.
        run: its id.
        jobs: the remote jobs of this home.
        goes_on: whether this process is still the one that watches.
    """

    def __init__(self, store: RunStore, run: str, jobs: Jobs, goes_on: Callable[[], bool]) -> None:
        self._store = store
        self._run = run
        self._jobs = jobs
        self._goes_on = goes_on
        self._folder = store.folder(run)
        self._places: dict[str, str] = {}
        self._came: dict[str, Any] = {}
        self._node = "?"
        self._looked = 0.0
        self._beat = 0.0
        self._asked_to_stop = False
        self._far: Far | None = None
        self.has_place = True
        """Whether the run holds a place on the cluster, or waits for one."""

    def attend(self) -> None:
        """See the run to the end of its attempt, or as far as this process watches.

        Raises:
            MtlabError, OSError: the home cannot be written; nothing is lost.
        """
        status = self._store.written_status(self._run)
        if status is None or status.state not in ("queued", "running"):
            return
        name = job_name(status)
        try:
            try:
                far, status = self._placed(status, name)
                try:
                    self._follow(far, status)
                except Lost as error:
                    self._follow(self._kept(name, error), status)
            except Lost as error:
                self._lost(str(error))
            except (Refused, MtlabError) as error:
                self._failed(error)
        except _Over:
            if not self._goes_on():
                return  # another process watches it now
        if self._far is not None:
            with contextlib.suppress(Lost, Silent, Refused):
                call(self._far, "close", seconds=_CLOSING_SECONDS)
        self._jobs.let_go(name)

    def _placed(self, status: Status, name: str) -> tuple[Far, Status]:
        """The run's job on a node, begun."""
        placement = placement_of(self._folder)
        if placement is None:
            raise _Over
        if status.state == "running":
            self._node = status.host or self._node
            far, hello = self._found(name)
        else:
            far = self._jobs.hire(name, self._run, placement)
            hello = self._waits_for_place(far)
        self._far = far
        node = Facts.from_json(hello["facts"])
        self._node = node.node
        if not hello["begun"]:
            refuse_other(node, facts_here())
        self._places = {f"{hello['home']}/runs": str(self._store.settings.runs)}
        if status.state == "queued":
            status = self._taken()
        came = read_json(self._folder / _CAME) or {}
        self._came = came if came.get("attempt") == status.attempts else {}
        luggage = pack(self._store.get(self._run), self._store, hello["root"])
        self._places |= luggage.places
        if not hello["begun"]:
            courier.send(far, luggage, lambda: self._check(status))
            shared = {folder.content: folder.run for folder in luggage.shared}
            call(far, "begin", shared, status.to_json())
        return far, status

    def _found(self, name: str) -> tuple[Far, dict[str, Any]]:
        """The job that was begun before, or what has taken over from it, and what it says."""
        why = Lost("its node, or the whole cluster, was restarted")
        far = self._jobs.find(name)
        if far is not None:
            try:
                return far, call(far, "hello")
            except Lost as error:
                why = error
        kept = self._kept(name, why)
        return kept, call(kept, "hello")

    def _kept(self, name: str, why: Lost) -> Far:
        """What has taken over from a job that is gone; raises why it is where nothing has."""
        kept = self._jobs.kept(name) if self.has_place else None
        if kept is None:
            raise why
        self.has_place = False
        self._far = kept
        return kept

    def _waits_for_place(self, far: Far) -> dict[str, Any]:
        """What the job says when it has its place."""
        answer = far.ask("hello")
        while True:
            try:
                hello: dict[str, Any] = answer.wait(LOOK_SECONDS)
                return hello
            except Silent:
                now = self._store.written_status(self._run)
                if now is None or now.state != "queued" or not self._goes_on():
                    raise _Over from None

    def _taken(self) -> Status:
        """The run as it runs from now on, if it still waits."""
        with self._store.database.transaction() as connection:
            status = self._store.written_status(self._run)
            if status is None or status.state != "queued":
                raise _Over
            events = self._store.log(self._run).read()
            since = events[-1].seq if events else 0
            status = status.launched(new_token(), self._node, f"ray:{self._node}", since)
            courier.remove_half_fetched(self._folder)
            self._store.write_status(self._run, status)
            enter(connection, status)
        mark_attempt(self._folder, status.attempts)
        return status

    def _follow(self, far: Far, status: Status) -> None:
        pause = FIRST_LOOK_SECONDS
        while True:
            over, told = self._look(far, status)
            if over:
                break
            pause = FIRST_LOOK_SECONDS if told["events"] else min(2 * pause, LOOK_SECONDS)
            if told["over"]:
                continue
            with contextlib.suppress(courier.Torn, Refused):  # replaced or removed meanwhile
                self._collect(far, status, told)
            time.sleep(pause)
        # All that it has made comes home before its end is said; nothing changes there any more.
        try:
            self._collect(far, status, told)
        except courier.Torn as error:
            raise Refused(f"{error} did not arrive as it was sent") from None
        self._end(status, told["status"])

    def _look(self, far: Far, status: Status) -> tuple[bool, dict[str, Any]]:
        """Take over what has happened; whether that was all."""
        self._check(status)
        if not self._asked_to_stop and stop_request(self._folder) is not None:
            call(far, "stop")
            self._asked_to_stop = True
        log = self._store.log(self._run)
        known = log.read()[-1].seq if log.read() else 0
        told: dict[str, Any] = call(far, "look", known, self._came.get("log", 0))
        self._looked = time.monotonic()
        log.extend(self._here(told["events"]))
        if told["log"]:
            with open(self._folder / "job.log", "ab") as file:
                file.write(at_home(told["log"].decode(errors="replace"), self._places).encode())
            self._came["log"] = self._came.get("log", 0) + len(told["log"])
        self._relay(status, told["status"])
        return bool(told["over"]) and not told["events"] and not told["log"], told

    def _relay(self, status: Status, node: dict[str, Any]) -> None:
        """Show here what the job says of itself; its end only when all of it has come."""
        now = self._store.written_status(self._run)
        if now is None or now.token != status.token or now.state != "running":
            raise _Over
        fresh = now.with_changes(**{name: node[name] for name in _OF_A_LIVE_RUN})
        if fresh == now and time.monotonic() - self._beat < BEAT_SECONDS:
            return
        self._beat = time.monotonic()
        fresh = fresh.with_changes(heartbeat=time.time())
        self._store.write_status(self._run, fresh, durable=False)

    def _collect(self, far: Far, status: Status, told: dict[str, Any]) -> None:
        """Fetch what was made since the last look."""

        def on_piece() -> None:
            if time.monotonic() - self._looked > LOOK_SECONDS:
                self._look(far, status)

        for group, mark in _newest(told["groups"]).items():
            if self._came.get(group) != mark:
                self._fetch_group(far, group, on_piece)
                self._note(status, group, mark)
        for name, mark in told["files"].items():
            if self._came.get(name) == mark:
                continue
            courier.fetch(far, name, self._folder / name, on_piece)
            self._translate(self._folder / name)
            self._note(status, name, mark)

    def _fetch_group(self, far: Far, group: str, on_piece: Callable[[], None]) -> None:
        files = call(far, "offer", group)
        courier.fetch_folder(far, files, self._folder / group, on_piece)
        for path in (self._folder / group).iterdir():
            self._translate(path)
        if group.startswith("checkpoint-"):
            for older in self._folder.glob("checkpoint-*"):
                if older.name != group:
                    shutil.rmtree(older, ignore_errors=True)

    def _note(self, status: Status, name: str, mark: str) -> None:
        self._came = {**self._came, "attempt": status.attempts, name: mark}
        write_json(self._folder / _CAME, self._came, durable=False)

    def _translate(self, path: Path) -> None:
        """Put the paths of this machine in the place of the node's."""
        if path.suffix not in _TEXTS or path.name in ("tokenizer.json", "trainer_state.json"):
            return
        with contextlib.suppress(OSError, UnicodeDecodeError):
            text = path.read_text(encoding="utf-8")
            here = at_home(text, self._places)
            if here != text:
                path.write_text(here, encoding="utf-8")

    def _here(self, value: Any) -> Any:
        """A value from the node with the paths of this machine."""
        return json.loads(at_home(json.dumps(value, ensure_ascii=False), self._places))

    def _check(self, status: Status) -> None:
        """Whether the run is still this attendance's to attend."""
        now = self._store.written_status(self._run)
        if now is None or now.token != status.token or not self._goes_on():
            raise _Over
        request = stop_request(self._folder)
        if request is not None and not request[1]:
            self._store.discard(self._run)
            raise _Over

    def _end(self, status: Status, node: dict[str, Any]) -> None:
        told = {name: self._here(node[name]) for name in _OF_THE_NODE}
        told["halved"] = tuple(told["halved"])  # JSON has no tuples
        state: State = node["state"]
        if state == "finished":
            for path in (*self._folder.glob("checkpoint-*"), self._folder / "partial"):
                shutil.rmtree(path, ignore_errors=True)
        (self._folder / _CAME).unlink(missing_ok=True)
        with self._store.database.transaction() as connection:
            now = self._store.written_status(self._run)
            if now is None or now.token != status.token or now.state != "running":
                raise _Over
            ended = now.with_changes(state=state, ended=time.time(), **told)
            self._store.write_status(self._run, ended)
            enter(connection, ended)

    def _lost(self, why: str) -> None:
        """Queue the run again where its node was lost, as often as that is done by itself."""
        with self._store.database.transaction() as connection:
            now = self._store.written_status(self._run)
            if now is None or now.state not in ("queued", "running"):
                return
            request = stop_request(self._folder)
            log = self._store.log(self._run)
            if request is not None:
                log.append("end", state="stopped")
                fresh = now.with_changes(state="stopped", ended=time.time())
            elif now.requeues > 0:
                count = MOST_REQUEUES - now.requeues + 1
                text = f"its node {self._node} was lost; it goes on elsewhere from what had come "
                text += f"home ({count} of {MOST_REQUEUES})"
                log.append("note", text=text)
                fresh = now.queued_again().with_changes(requeues=now.requeues - 1, detail=text)
            else:
                error = {
                    "what": f"its node was lost, {MOST_REQUEUES + 1} times in all",
                    "why": why or None,
                    "fix": "see to the cluster, then resume it",
                }
                log.append("error", **error)
                log.append("end", state="failed")
                fresh = now.with_changes(state="failed", error=error, ended=time.time())
            self._store.write_status(self._run, fresh)
            enter(connection, fresh)

    def _failed(self, error: Exception) -> None:
        """End a run that the node cannot do, such as for a full disk."""
        if isinstance(error, MtlabError):
            said = error.to_json()
        else:
            said = {
                "what": f"the node {self._node} could not do what was asked of it",
                "why": at_home(str(error), self._places),
                "fix": "see to the node, or set MTLAB_SCRATCH there to a disk with room; resume it",
            }
        with self._store.database.transaction() as connection:
            now = self._store.written_status(self._run)
            if now is None or now.state not in ("queued", "running"):
                return
            log = self._store.log(self._run)
            log.append("error", **said)
            log.append("end", state="failed")
            ended = now.with_changes(state="failed", error=said, ended=time.time())
            self._store.write_status(self._run, ended)
            enter(connection, ended)


def _newest(groups: dict[str, str]) -> dict[str, str]:
    """Of several checkpoints the one that was made last."""
    steps = [int(one.partition("-")[2]) for one in groups if one.startswith("checkpoint-")]
    older = {f"checkpoint-{step}" for step in sorted(steps)[:-1]}
    return {name: mark for name, mark in groups.items() if name not in older}


def job_name(status: Status) -> str:
    """The name of the job that does a run's attempt: the one at hand, or else the next."""
    attempt = status.attempts + (status.state == "queued")
    return f"{status.id}.{attempt}"
