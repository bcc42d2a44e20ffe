"""A cache that cannot be written is no reason to stop."""

from mtlab.corpora.cache import keep


def test_whole_or_absent(tmp_path, monkeypatch):
    path = tmp_path / "a" / "b.json"
    keep(path, "{}")
    assert path.read_text(encoding="utf-8") == "{}"

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    keep(path, "[]")
    assert path.read_text(encoding="utf-8") == "{}"
    assert [file.name for file in path.parent.iterdir()] == ["b.json"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    keep(tmp_path / "file" / "b.json", "{}")
