from pathlib import Path

import pytest

from mtlab.errors import InputError
from mtlab.settings import ASSETS, Settings


def test_the_environment_decides_where_things_lie(tmp_path):
    settings = Settings.from_environment({"MTLAB_HOME": str(tmp_path), "MTLAB_THREADS": "2"})
    assert settings.home == tmp_path
    assert settings.runs == tmp_path / "runs"
    assert settings.comet_env == tmp_path / "comet-env"
    assert settings.threads == 2
    assert settings.comet_python is None and not settings.offline


def test_without_it_the_home_is_the_users():
    assert Settings.from_environment({}).home == Path.home() / ".mtlab"


@pytest.mark.parametrize("text", ["many", "-1", "1.5"])
def test_a_number_that_is_none_is_named(text):
    with pytest.raises(InputError, match="MTLAB_THREADS"):
        Settings.from_environment({"MTLAB_THREADS": text})


def test_the_assets_are_there():
    assert (ASSETS / "app.css").is_file()
