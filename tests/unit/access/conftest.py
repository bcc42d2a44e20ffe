import pytest

from mtlab.access import passwords


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    """A hash that takes a fifth of a second, as it should, is for one test alone."""
    monkeypatch.setattr(passwords, "_N", 16)
