"""The variables and secrets of a Space, as somebody types them."""

import pytest

from mtlab.errors import InputError
from mtlab.spaces import read_secrets, read_variables

TOKEN = "hf_" + "aBcD" * 6


def test_variables_and_secrets_are_read():
    assert read_variables(["MTLAB_ALLOW=ann,bob", "NOTE=a=b"]) == {
        "MTLAB_ALLOW": "ann,bob",
        "NOTE": "a=b",
    }
    assert read_secrets(["HF_TOKEN", "KEY=x"], {"HF_TOKEN": TOKEN}) == {
        "HF_TOKEN": TOKEN,
        "KEY": "x",
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["NAME"], "'NAME' has no value: write NAME=VALUE"),
        (["=x"], "a name is missing"),
        (["A B=x"], "a name is missing or cannot be used"),
        (["A=1", "A=2"], "'A' is given twice"),
        (["SPACE_ID=x/y"], "'SPACE_ID' is set by Spaces itself"),
        (["HF_TOKEN=x"], "'HF_TOKEN' looks like a secret.*--secret HF_TOKEN"),
        ([f"NOTE={TOKEN}"], "'NOTE' looks like a secret"),
        (["MTLAB_MAX_PAIRS=many"], "MTLAB_MAX_PAIRS: 'many' is not a whole number"),
        (["MTLAB_DEVICES=gpu"], "MTLAB_DEVICES: 'gpu' is no device"),
    ],
)
def test_a_variable_that_cannot_be_set_is_said(words, says):
    with pytest.raises(InputError, match=says) as caught:
        read_variables(words)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["MISSING"], "'MISSING' has no value: set MISSING in the environment"),
        ([TOKEN + "!"], "a name is missing or cannot be used"),
        (["A=1", "A=2"], "'A' is given twice"),
    ],
)
def test_a_secret_that_cannot_be_set_is_said(words, says):
    with pytest.raises(InputError, match=says) as caught:
        read_secrets(words, {})
    assert TOKEN not in str(caught.value)
