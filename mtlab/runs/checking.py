"""What can be said against a spec before its run is written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mtlab.backends import check_backend
from mtlab.corpora import Draw, corpora_for, draw_for
from mtlab.defaults import complete
from mtlab.presets import resolve_base
from mtlab.prompts import CHAT, no_chat_template
from mtlab.runs.devices import check_share
from mtlab.runs.lending import lent_room
from mtlab.runs.needs import Unfinished, as_if_made, none_unfinished
from mtlab.runs.placing import placed
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from mtlab.spec import RunSpec

if TYPE_CHECKING:
    from mtlab.runs.resident import Resident

Drawing = Callable[[RunSpec, Settings], Draw]


def completed(
    spec: RunSpec,
    store: RunStore,
    unfinished: Unfinished = none_unfinished,
    draw: Drawing = draw_for,
) -> tuple[RunSpec, Draw]:
    """A spec with every open value filled in, and the pairs it would train on.

    Args:
        spec: as a person gives it.
        store: where runs are found.
        unfinished: runs it may need though they have made nothing yet; none when not given.
        draw: draws the pairs, or answers with a larger draw of the same kind.

    Raises:
        InputError: the corpus, a direction or the size cannot be had, or there is no such base.
        NotAvailable: the corpus lies where this machine cannot reach.
    """
    from mtlab.runs.translators import settled

    settings = store.settings
    spec = settled(placed(spec), store)
    base = resolve_base(as_if_made(spec, unfinished).base, settings)
    corpus = corpora_for(spec, settings).train
    for direction in spec.train:
        corpus.pool(direction)  # a training direction it lacks is said before a test direction
    drawn = draw(spec, settings)  # before defaults by size: a size can be absurd
    return complete(spec, base), drawn


def checked(
    spec: RunSpec,
    store: RunStore,
    models: Resident,
    unfinished: Unfinished = none_unfinished,
    draw: Drawing = draw_for,
) -> tuple[RunSpec, Draw]:
    """As `completed`, of a spec that this machine can run now.

    Args:
        spec: as a person gives it.
        store: where runs are found.
        models: who would load a translator.
        unfinished: as `completed` takes it.
        draw: as `completed` takes it.

    Raises:
        InputError: the spec cannot be run: says which field, and what to do.
        NotAvailable: this machine cannot run it now.
    """
    from mtlab.forecasting import forecaster_of
    from mtlab.models import Spread, check_fits, inspect
    from mtlab.runs.systems import check_system
    from mtlab.runs.translators import check_noise

    settings = store.settings
    check_backend(spec.decoding)
    spec, drawn = completed(spec, store, unfinished, draw)
    check_share(spec, settings)
    known = as_if_made(spec, unfinished)
    if not spec.training.trains:
        check_system(known, settings)
        return spec, drawn
    check_noise(known, drawn, store, models)
    facts = inspect(resolve_base(known.base, settings), settings, known.revision)
    if spec.template == CHAT and facts.has_chat_template is False:
        raise no_chat_template(spec.base)
    told = forecaster_of(store).forecast(known, drawn)
    held = None if told is None else told.held
    spread, room = Spread(spec.devices, spec.strategy), lent_room(known.base, settings)
    check_fits(facts, spec.training, settings, held, spread, room)
    return spec, drawn
