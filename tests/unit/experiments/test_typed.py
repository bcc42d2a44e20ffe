import pytest

from mtlab.errors import InputError
from mtlab.experiments.typed import (
    seeds_from_text,
    seeds_in_words,
    shares_from_text,
    sizes_from_text,
)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0", (0,)),
        ("7", (7,)),
        (0, (0,)),
        ("0, 1, 2", (0, 1, 2)),
        ("5 3", (5, 3)),
        ("2-5", (2, 3, 4, 5)),
        ("0 to 2", (0, 1, 2)),
        ("3 seeds", (0, 1, 2)),
        ("1 seed", (0,)),
        ("  3  Seeds ", (0, 1, 2)),
        ("3 seeds: 4, 5, 6", (4, 5, 6)),
    ],
)
def test_seeds_as_people_write_them(text, seeds):
    assert seeds_from_text(text) == seeds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "many",
        "-4",
        "0 seeds",
        "1, 1",
        "5-2",
        "1.5",
        "3 seeds of corn",
        "99999 seeds",
        "0-999999",
    ],
)
def test_what_are_no_seeds_is_said_of_the_field(text):
    with pytest.raises(InputError) as caught:
        seeds_from_text(text)
    assert caught.value.field == "seed" and "3 seeds" in caught.value.fix


def test_seeds_in_words_are_read_again():
    for seeds in ((0, 1, 2), (5, 3)):
        assert seeds_from_text(seeds_in_words(seeds)) == seeds
    assert seeds_in_words((4,)) == "seed 4"


def test_sizes_and_shares():
    assert sizes_from_text("16, 64 256; all") == (16, 64, 256, "all")
    assert sizes_from_text("32, 32, All") == (32, "all")
    assert shares_from_text("0, 0.05, 50%", "reverse") == (0, 0.05, 0.5)
    for text in ("", "lots", "16, many"):
        with pytest.raises(InputError, match="size: "):
            sizes_from_text(text)
    with pytest.raises(InputError, match="reverse: 'x' cannot be used"):
        shares_from_text("x", "reverse")
