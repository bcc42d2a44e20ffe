"""Files from the browser: kept by their content, within limits, and none but what was brought."""

from dataclasses import replace

import pytest

from mtlab.access.naming import confined
from mtlab.errors import InputError, NotAvailable
from mtlab.ui.form import BLANK
from mtlab.ui.uploads import keep_upload

PAIRS = "de\ten\nJa.\tYes.\nNein.\tNo.\n"


@pytest.fixture
def cache(tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def brought(folder, text=PAIRS, name="mine.tsv"):
    path = folder / name
    path.write_text(text)
    return {**BLANK, "upload": str(path)}


def test_a_file_is_kept_once_under_what_it_holds(home, cache):
    settings = confined(home, cache)
    first = keep_upload(brought(cache), settings)["upload"]
    assert first == keep_upload(brought(cache), settings)["upload"]
    assert first != keep_upload(brought(cache, PAIRS + "Gut.\tGood.\n"), settings)["upload"]
    assert first.startswith(str(home.uploads)) and first.endswith("/mine.tsv")


def test_what_was_not_brought_is_not_opened(home, cache, tmp_path):
    settings = confined(home, cache)
    (cache / "link.tsv").symlink_to(tmp_path / "secret.tsv")
    (tmp_path / "secret.tsv").write_text(PAIRS)
    for path in (tmp_path / "secret.tsv", cache / "link.tsv", cache / ".." / "secret.tsv"):
        with pytest.raises(InputError):
            keep_upload({**BLANK, "upload": str(path)}, settings)
        jargon = {**BLANK, "noise_kind": "jargon", "terms": str(path)}
        with pytest.raises(InputError, match="upload: no file was brought: choose it again"):
            keep_upload(jargon, settings)
    assert not home.uploads.exists()


def test_all_that_is_kept_has_a_limit(home, cache):
    settings = confined(replace(home, door=replace(home.door, max_kept_mb=1)), cache)
    half = PAIRS + "Ja, und noch mehr davon.\tYes, and more of it.\n" * 12_000
    keep_upload(brought(cache, half), settings)
    with pytest.raises(NotAvailable, match="would take 1 MB, and 1 MB are allowed"):
        keep_upload(brought(cache, half + "Gut.\tGood.\n"), settings)
    assert len(list(home.uploads.iterdir())) == 1
    keep_upload(brought(cache, half + "Gut.\tGood.\n"), home)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xfe", "is not UTF-8"),
        (b"de\ten\nJa.", "has 1 column where 2 are expected"),
        (b"", "is empty"),
        (b"x" * 1_100_000, "has 1.1 MB, and 1 MB are allowed"),
        (b"\x80\x04\x95\x00pickle", "is not UTF-8"),
        (b"PK\x03\x04zip\xff", "is not UTF-8"),
    ],
)
def test_what_is_no_table_is_refused_and_not_kept(home, cache, data, says):
    settings = confined(replace(home, max_upload_mb=1), cache)
    (cache / "mine.tsv").write_bytes(data)
    with pytest.raises(InputError, match=says):
        keep_upload({**BLANK, "upload": str(cache / "mine.tsv")}, settings)
    assert not home.uploads.exists()
