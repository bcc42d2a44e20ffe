"""The store of COMET's sentence embeddings."""

import sqlite3
from pathlib import Path

import pytest

from mtlab.scoring.comet_program import embedding_store
from mtlab.scoring.comet_program.embedding_store import EmbeddingStore


def test_what_was_put_is_got(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store.db"
    EmbeddingStore(path, "model").put({"Ja.": b"1234", "Nein.": b"5678"})
    kept = EmbeddingStore(path, "model").get(["Nein.", "Ja.", "Doch."])
    assert kept == {"Ja.": b"1234", "Nein.": b"5678"}


def test_more_texts_than_a_statement_takes(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path / "store.db", "model")
    vectors = {f"text {number}": number.to_bytes(4, "big") for number in range(1_234)}
    store.put(vectors)
    assert store.get(vectors) == vectors


def test_each_model_has_its_own(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    EmbeddingStore(path, "one").put({"Ja.": b"1111"})
    EmbeddingStore(path, "other").put({"Ja.": b"2222"})
    assert EmbeddingStore(path, "one").get(["Ja."]) == {"Ja.": b"1111"}
    assert EmbeddingStore(path, "third").get(["Ja."]) == {}


def test_those_not_used_for_longest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, clock = tmp_path / "store.db", [100]
    monkeypatch.setattr(embedding_store, "_now", lambda: clock[0])
    store = EmbeddingStore(path, "model", most_bytes=20)
    for number, text in enumerate("abcdefgh"):
        clock[0] = 100 + number
        store.put({text: b"1234"})
    clock[0] = 200
    store.get(["a"])
    left = EmbeddingStore(path, "model", most_bytes=20).get("abcdefgh")
    assert set(left) == set("aefgh")


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"something else" * 100)
    store = EmbeddingStore(path, "model")
    store.put({"Ja.": b"1234"})
    assert store.get(["Ja."]) == {}
    assert path.read_bytes() == b"something else" * 100


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = EmbeddingStore(tmp_path / "file" / "store.db", "model")
    store.put({"Ja.": b"1234"})
    assert store.get(["Ja."]) == {}


def test_a_table_of_another_shape_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE embeddings (key BLOB)")
    store = EmbeddingStore(path, "model")
    store.put({"Ja.": b"1234"})
    assert store.get(["Ja."]) == {}
