"""What several unit tests share."""

import pytest

from mtlab import Lab


@pytest.fixture
def lab(home, monkeypatch):
    """A lab that writes runs down and starts none."""
    made = Lab(home)
    monkeypatch.setattr(made.supervisor, "start", lambda: None)
    yield made
    made.close()
