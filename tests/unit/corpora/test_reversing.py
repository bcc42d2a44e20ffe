"""Pairs turned round: which, how many, and that smaller shares and sizes are nested."""

import json

import pytest

from mtlab import Lab, RunSpec
from mtlab.corpora import draw_for

SPEC = RunSpec(train=["de-en", "fr-en"], size=128, seed=3)


def test_a_share_of_every_direction_is_turned_round(home):
    clean = draw_for(SPEC, home)
    drawn = draw_for(SPEC.with_changes(reverse=0.25), home)
    assert clean.reversed == frozenset() and len(drawn.reversed) == 32
    for place, (before, after) in enumerate(zip(clean.pairs, drawn.pairs, strict=True)):
        if place in drawn.reversed:
            assert (after.source, after.target) == (before.target, before.source)
            assert after.direction == before.direction.reversed() and after.key == before.key
        else:
            assert after == before
    turned = [str(drawn.pairs[place].direction) for place in drawn.reversed]
    assert turned.count("en-de") == turned.count("en-fr") == 16


def test_smaller_shares_and_sizes_turn_some_of_the_same_pairs(home):
    places = [
        draw_for(SPEC.with_changes(reverse=share), home).reversed
        for share in (0.01, 0.05, 0.1, 0.5, 1)
    ]
    assert all(small <= large for small, large in zip(places, places[1:], strict=False))
    assert len(places[-1]) == 128 and 1 <= len(places[0]) <= 4
    half = draw_for(SPEC.with_changes(reverse=0.1, size=64), home)
    assert half.reversed == {place for place in places[2] if place < 64}
    assert draw_for(SPEC.with_changes(reverse=0.5, seed=4), home).reversed != places[3]


def test_the_preview_counts_and_shows_the_pairs_as_turned(home):
    lab = Lab(home)
    preview = lab.preview(SPEC.with_changes(reverse=0.5, train=["de-en"]))
    assert preview.counts == {"de-en": 64, "en-de": 64}
    assert any(str(one.pair.noisy.direction) == "en-de" for one in preview.examples)
    json.dumps(preview.counts)


@pytest.mark.parametrize("share", [-0.1, 1.5, "some"])
def test_a_share_is_between_none_and_all(share):
    from mtlab import InputError

    with pytest.raises(InputError, match="reverse"):
        RunSpec(train=["de-en"], reverse=share)
