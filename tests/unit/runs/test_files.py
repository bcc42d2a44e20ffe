"""Nothing is ever half written."""

import errno
import os

import pytest

from mtlab.errors import NotAvailable
from mtlab.runs.files import read_json, read_lines, write_json, write_lines, writing


def test_a_write_that_fails_leaves_the_old_content_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "status.json"
    write_json(path, {"a": 1})

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        write_json(path, {"a": 2})
    assert read_json(path) == {"a": 1}
    assert os.listdir(tmp_path) == ["status.json"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "is full"), (errno.EROFS, "cannot be written"), (errno.EIO, "cannot be")],
)
def test_a_failed_write_is_a_sentence(tmp_path, number, words):
    with pytest.raises(NotAvailable, match=words), writing(tmp_path):
        raise OSError(number, os.strerror(number))


def test_torn_and_foreign_lines_are_left_out(tmp_path):
    path = tmp_path / "lines.jsonl"
    write_lines(path, [{"n": 1}, {"n": 2}])
    with path.open("ab") as file:
        file.write(b'[1]\nnonsense\n\xff\xfe\n{"n": 3')
    assert read_lines(path) == [{"n": 1}, {"n": 2}]
    assert read_lines(tmp_path / "none.jsonl") == []
    assert read_json(path) is None
