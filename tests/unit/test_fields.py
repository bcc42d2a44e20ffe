"""What people are told of each field, on the command line and in the browser."""

import pytest

from mtlab.commands import FLAGS, field_of
from mtlab.fields import choices_of, default_in_words, explained


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("training.warmup", "0.1"),
        ("training.lora_rank", "16"),
        ("score_base", "yes"),
        ("metrics", "bleu, chrf, comet"),
        ("training.schedule", "linear"),
        ("training.learning_rate", "by base and method"),
        ("name", "none"),
    ],
)
def test_a_default_is_said_in_words(path, words):
    assert default_in_words(path) == words
    assert explained(path).endswith(f"(default: {words})")


def test_no_field_is_without_words():
    for _, path in FLAGS:
        words = default_in_words(path)
        assert words and "None" not in words and "\n" not in words


def test_what_is_open_and_filled_in_later_is_never_called_none():
    """`none` would be wrong of a value that `mtlab.defaults` chooses."""
    filled = [path for _, path in FLAGS if path.startswith(("training.", "decoding."))]
    assert all(
        default_in_words(path) != "none" for path in filled if field_of(path).default is None
    )


def test_choices_are_those_of_the_spec():
    assert choices_of("training.schedule") == ("linear", "cosine", "constant")
    assert choices_of("metrics") == ("bleu", "chrf", "comet")
    assert choices_of("size") == ()
