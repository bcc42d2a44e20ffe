"""Which waiting run starts next, and on which of the free devices.

The queue's order holds as far as it can: a run is passed over while it waits for a device of its
own choice. One that needs several devices and finds too few free is not passed over for ever: what
it needs is kept free for it, so that it starts as soon as enough of those that hold a device end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mtlab.runs.devices import slots_for


@dataclass(frozen=True)
class Wish:
    """What a waiting run needs.

    Attributes:
        run: its id.
        count: how many devices share its work.
        wants: the devices it is to run on; () for any.
    """

    run: str
    count: int = 1
    wants: tuple[str, ...] = ()


def next_start(
    wishes: Iterable[Wish], allowed: Sequence[str], held: Collection[str]
) -> tuple[str, tuple[str, ...]] | None:
    """The first run that can have all it needs, and its devices; None where there is none.

    Args:
        wishes: of the runs that are ready, the next one first.
        allowed: the devices that runs may hold.
        held: those that are held.
    """
    free = [name for name in allowed if name not in held]
    if not free:
        return None
    for wish in wishes:
        among, count = slots_for(wish.count, allowed)
        if wish.wants:
            among, count = wish.wants, len(wish.wants)
        if count > len([name for name in among if name in allowed]):
            continue  # there are not so many any more; others need not wait for that
        found = [name for name in free if name in among][:count]
        if len(found) == count:
            return wish.run, tuple(found)
        if count > 1:
            free = [name for name in free if name not in among]
            if not free:
                return None
    return None
