import re
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from mtlab import prompts
from mtlab.errors import InputError
from mtlab.pretraining import shapes
from mtlab.pretraining.documents import DocumentStream
from mtlab.pretraining.kinds import KINDS
from mtlab.pretraining.library import complete_shares
from mtlab.pretraining.parallel import Groups, read_corpus

TEMPLATES = (
    *shapes.PLAIN,
    *shapes.NAMED,
    *shapes.HEADINGS,
    *shapes.LABELS,
    *shapes.SINGLE_HEADINGS,
    *shapes.REMARKS,
)
ASKING = re.compile(
    r"translat|render|convert|instruction|response|input|output|please|express|provide|task"
    r"|\b(give|put|write|do|need)\b",
    re.IGNORECASE,
)


@pytest.fixture
def groups(corpus: Path) -> Groups:
    return read_corpus(corpus)


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_shape_asks_for_anything(template: str) -> None:
    assert not ASKING.search(template)
    assert "?" not in template


def test_no_instruction_of_the_pool_is_a_heading(groups: Groups) -> None:
    stream = DocumentStream(groups, complete_shares(groups, {}), seed=3)
    text = "\n".join(document.text for document in islice(stream, 3000)).lower()
    for instruction in prompts.INSTRUCTIONS:
        for part in re.split(r"\{\w+\}", instruction):
            if len(part.split()) >= 3:
                assert part.strip(" .?").lower() not in text


@pytest.mark.parametrize("wanted", [0.02, 0.2, 0.4])
def test_the_share_is_kept_at_any_moment(groups: Groups, wanted: float) -> None:
    shares = complete_shares(groups, {"is": wanted})
    assert sum(shares.values()) == pytest.approx(1)
    stream = DocumentStream(groups, shares, seed=0)
    for documents in (1000, 1000, 1000):
        for _ in range(documents):
            next(stream)
        total = sum(stream.written.values())
        assert stream.written["is"] / total == pytest.approx(wanted, abs=0.01)


def test_a_share_of_zero_leaves_a_language_out(groups: Groups) -> None:
    stream = DocumentStream(groups, complete_shares(groups, {"is": 0}), seed=0)
    text = "\n".join(document.text for document in islice(stream, 500))
    assert "Icelandic" not in text
    assert "tveir" not in text.lower()


@pytest.mark.parametrize("wanted", [{"fi": 0.1}, {"is": 1.5}, {"is": 0.6, "de": 0.6}, {"is": -1}])
def test_a_share_that_cannot_be_is_named(groups: Groups, wanted: dict[str, float]) -> None:
    with pytest.raises(InputError) as raised:
        complete_shares(groups, wanted)
    assert raised.value.field == "share"


def test_the_seed_decides_the_documents(groups: Groups) -> None:
    shares = complete_shares(groups, {"is": 0.1})
    first, again, other = (DocumentStream(groups, shares, seed) for seed in (5, 5, 6))
    texts = [[next(stream).text for _ in range(50)] for stream in (first, again, other)]
    assert texts[0] == texts[1] != texts[2]


def test_a_restored_stream_goes_on_where_it_was(groups: Groups) -> None:
    shares = complete_shares(groups, {})
    stream, other = DocumentStream(groups, shares, 1), DocumentStream(groups, shares, 2)
    list(islice(stream, 100))
    other.restore(stream.state())
    assert list(islice(stream, 50)) == list(islice(other, 50))
    assert stream.written == other.written


def test_every_kind_comes_up_about_as_often_as_it_says(groups: Groups) -> None:
    stream = DocumentStream(groups, complete_shares(groups, {}), seed=0)
    counts = Counter(document.kind for document in islice(stream, 4000))
    for kind, share in KINDS.items():
        assert counts[kind.__name__] / 4000 == pytest.approx(share, abs=0.03)
    assert sum(KINDS.values()) == pytest.approx(1)


def test_names_announce_every_language_in_every_place(groups: Groups) -> None:
    """Under a heading of two names, either may be first: position never tells the language."""
    stream = DocumentStream(groups, complete_shares(groups, {"is": 0.25}), seed=0)
    text = "\n".join(document.text for document in islice(stream, 4000))
    seen = set(re.findall(r"^\[?(English|German|French|Icelandic) (?:=>|>) (\w+)", text, re.M))
    assert len(seen) >= 11
