"""The list of all runs: searched and paged."""

import pytest

from mtlab.defaults import complete
from mtlab.presets import BASES
from mtlab.results.listing import PAGE, listed, scores_in_words
from mtlab.results.seen import SeenRun
from mtlab.runs.status import Status
from mtlab.spec import RunSpec


def run(number, state="finished", scores=None, **fields):
    spec = complete(RunSpec.from_json({"train": ["de-en"], **fields}), BASES["nano"])
    name = f"20260101-{number:06d}-0000"
    return SeenRun(name, spec, Status(name, state=state), "", scores or {})


RUNS = [
    run(3, state="failed", name="Harbour", size=64),
    run(2, train=["en-de"], noise={"kind": "word", "side": "target"}),
    run(1, group="paper/size", training={"method": "lora"}),
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [3, 2, 1]),
        ("harbour", [3]),
        ("FAILED 64", [3]),
        ("en-de word", [2]),
        ("paper/size", [1]),
        ("lora", [1]),
        ("000002", [2]),
        ("harbour lora", []),
    ],
)
def test_every_word_is_looked_for(query, found):
    listing = listed(RUNS, query, 1)
    assert [int(one.id[9:15]) for one in listing.runs] == found
    assert (listing.found, listing.total) == (len(found), 3)


def test_pages_hold_so_many_and_the_nearest_page_is_given():
    many = [run(number) for number in range(500, 0, -1)]
    listing = listed(many, "", 2)
    assert listing.pages == 500 // PAGE and len(listing.runs) == PAGE
    assert listing.runs[0] is many[PAGE]
    assert listed(many, "", 10**6).page == listing.pages
    assert listed(many, "no such run", 7).page == 1


def test_scores_are_said_with_each_metric_over_the_directions_that_have_it():
    scores = {"de-en": {"bleu": 10.0, "chrf": 30.0}, "en-de": {"bleu": 20.0, "comet": 0.5}}
    assert scores_in_words(run(1, scores=scores)) == "BLEU 15.0, chrF 30.0, COMET 0.5000"
    assert scores_in_words(run(1)) == ""
