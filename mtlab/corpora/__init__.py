"""Where sentence pairs come from, and how a run draws its own.

pairs       a pair, what a corpus is, when two sentences are the same
everyday    the bundled sentences
wmt         the WMT test sets, through sacrebleu
own         a person's file, some of its rows held out (files: how it is read and refused)
hub         a data set on the hub, streamed
sampling    the seeded, nested draw
shown       the examples of few-shot prompting
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mtlab.corpora.everyday import open_everyday
from mtlab.corpora.hub import PREFIX, open_hub
from mtlab.corpora.own import Use, open_own, paths_of
from mtlab.corpora.pairs import Corpus, Pair, Split, normalised
from mtlab.corpora.sampling import Draw, draw
from mtlab.corpora.shown import draw_shown
from mtlab.corpora.wmt import WmtCorpus
from mtlab.errors import InputError
from mtlab.settings import Settings
from mtlab.spec import RunSpec

_BUNDLED: dict[str, tuple[str, Callable[[], Corpus]]] = {
    "everyday": ("Everyday sentences (en, de, fr, is)", open_everyday),
    "wmt": ("WMT news (the paper's data, through sacrebleu)", WmtCorpus),
}

_KEPT = 8
_opened: dict[tuple[object, ...], Corpus] = {}


@dataclass(frozen=True)
class Corpora:
    """What a spec trains on and what it tests on; often the same corpus."""

    train: Corpus
    test: Corpus


def corpus_names() -> list[tuple[str, str]]:
    """The corpora that have a name of their own, as (name, title)."""
    return [(name, title) for name, (title, _) in _BUNDLED.items()]


def open_corpus(name: str, settings: Settings, *, use: Use = "both") -> Corpus:
    """Open a corpus; the same one again in the same process as long as its files do not change.

    Args:
        name: `everyday`, `wmt`, `hub:OWNER/NAME[,option=...]`, a TSV, CSV or JSONL file (with
            `:de-en` behind it when it does not name its languages), or `A,B:de-en`.
        settings: limits and the cache folder.
        use: `train` or `test` puts all rows of a person's file on that side; `both` holds some out.
            Prefer `corpora_for`, which knows.

    Raises:
        InputError: no such corpus or file, or a file that cannot be used; names the line.
        NotAvailable: it lies where this machine cannot reach.
    """
    name = name.strip()
    if name in _BUNDLED:
        key: tuple[object, ...] = (name,)
        make: Callable[[], Corpus] = _BUNDLED[name][1]
    elif name.startswith(PREFIX):
        key = (name, use, settings.cache)
        make = lambda: open_hub(name, use, settings)  # noqa: E731
    else:
        for path in paths_of(name):
            if not settings.may_open(path):
                raise InputError(
                    "that file of this machine cannot be named over the network",
                    field="corpus",
                    fix="use everyday, wmt or hub:OWNER/NAME, or bring a file",
                )
        stats = [path.stat() for path in paths_of(name) if path.is_file()]
        key = (name, use, settings.max_upload_mb, *((s.st_mtime_ns, s.st_size) for s in stats))
        make = lambda: open_own(name, use, settings.max_upload_mb)  # noqa: E731
    corpus = _opened.get(key) or make()
    _opened[key] = corpus
    # A lab that runs for weeks must not hold every file that was ever uploaded to it.
    for oldest in list(_opened)[:-_KEPT]:
        _opened.pop(oldest, None)
    return corpus


def corpora_for(spec: RunSpec, settings: Settings) -> Corpora:
    """The corpora of a spec; a file with another test corpus beside it is not divided.

    Raises:
        InputError: no such corpus or file, or a file that cannot be used.
        NotAvailable: it lies where this machine cannot reach.
    """
    if spec.test_corpus is None or spec.test_corpus.strip() == spec.corpus.strip():
        corpus = open_corpus(spec.corpus, settings)
        return Corpora(corpus, corpus)
    try:
        test = open_corpus(spec.test_corpus, settings, use="test")
    except InputError as error:
        raise InputError(error.what, field="test_corpus", why=error.why, fix=error.fix) from None
    return Corpora(open_corpus(spec.corpus, settings, use="train"), test)


def draw_for(spec: RunSpec, settings: Settings) -> Draw:
    """The training pairs of a spec, some of them turned round where it says so; of few-shot
    prompting the pairs shown, and none where the base is taken as it is.

    Raises:
        InputError: a direction the corpus lacks, or more pairs than there are.
        NotAvailable: the corpus lies where this machine cannot reach.
    """
    corpora = corpora_for(spec, settings)
    if not spec.training.trains:
        return draw_shown(
            corpora.train, spec.tested, spec.size if spec.drawn else 0, spec.seed, corpora.test
        )
    drawn = draw(
        corpora.train, spec.train, spec.size, spec.seed, spec.balance, corpora.test, spec.tested
    )
    return drawn.turn_round(spec.reverse, spec.seed) if spec.reverse else drawn


def check(spec: RunSpec, settings: Settings) -> None:
    """All that can be said about a spec's corpus, directions and size before it runs.

    Raises:
        InputError: a corpus, direction or size that cannot be had.
        NotAvailable: the corpus lies where this machine cannot reach.
    """
    draw_for(spec, settings)


__all__ = [
    "Corpora",
    "Corpus",
    "Draw",
    "Pair",
    "Split",
    "check",
    "corpora_for",
    "corpus_names",
    "draw",
    "draw_for",
    "normalised",
    "open_corpus",
]
