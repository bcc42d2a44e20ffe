import stat

import pytest

from mtlab.access import passwords
from mtlab.access.passwords import AuthFile, hashed, matches
from mtlab.errors import InputError, NotAvailable

COST = (passwords._N, passwords._R, passwords._P)


@pytest.fixture
def file(tmp_path):
    return AuthFile(tmp_path / "people.txt")


def test_a_password_is_kept_as_a_hash_alone(file):
    file.add("alice", "correct horse", "admin")
    file.add("bob", "correct horse")
    text = file.path.read_text()
    assert "correct horse" not in text and text.count("scrypt$16$8$3$") == 2
    one, other = (line.split(":")[2] for line in text.splitlines())
    assert one != other, "equal passwords have salts of their own"
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert file.signs_in("alice", "correct horse").role == "admin"
    assert file.signs_in("bob", "correct horse").role == "user"
    for name, password in (("alice", "wrong horse"), ("carol", "correct horse"), ("alice", "")):
        assert file.signs_in(name, password) is None


def test_a_hash_costs_what_owasp_recommends(monkeypatch):
    monkeypatch.setattr(passwords, "_N", COST[0])
    assert COST == (2**15, 8, 3)
    kept = hashed("correct horse")
    assert kept.startswith("scrypt$32768$8$3$") and matches("correct horse", kept)


def test_the_file_is_read_again_when_it_has_changed(file):
    file.add("alice", "first password")
    file.add("alice", "other password")
    other = AuthFile(file.path)
    assert file.signs_in("alice", "first password") is None
    assert file.signs_in("alice", "other password")
    other.add("bob", "third password")
    assert file.signs_in("bob", "third password")
    other.remove("alice")
    assert set(file.accounts()) == {"bob"}
    with pytest.raises(InputError, match="nobody is called 'alice'"):
        other.remove("alice")


@pytest.mark.parametrize("kept", ["", "scrypt$", "md5$1$1$1$AA==$AA==", "scrypt$3$8$1$AA==$AA=="])
def test_what_is_no_hash_matches_nothing(kept):
    assert not matches("", kept) and not matches("password", kept)


def test_what_cannot_be_used_is_one_sentence(file, tmp_path):
    with pytest.raises(InputError, match="password: a password of 5 characters cannot be used"):
        hashed("short")
    for name in ("", "a:b", "a b", "../x", "x" * 65, "ä"):
        with pytest.raises(InputError, match="is no name to sign in with"):
            file.add(name, "long enough")
    with pytest.raises(InputError, match="'root' is no role"):
        file.add("alice", "long enough", "root")
    with pytest.raises(NotAvailable, match="cannot be read .*: write it with 'mtlab auth"):
        file.accounts()
    file.path.write_text("# people\n\nalice:user:plain-password\n")
    with pytest.raises(InputError, match="line 3 of .* is no NAME:ROLE:HASH") as caught:
        file.accounts()
    assert "plain-password" not in str(caught.value)


def test_the_verb_writes_lists_and_removes(tmp_path, monkeypatch, capsys):
    import io
    import json

    from mtlab.cli import main

    monkeypatch.setenv("MTLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sys.stdin", io.StringIO("a good password\n"))
    assert main(["auth", "add", "alice", "--role", "admin"]) == 0
    file = AuthFile(tmp_path / "home" / "auth.txt")
    assert file.signs_in("alice", "a good password").role == "admin"
    assert main(["auth", "list", "--json"]) == 0
    said = capsys.readouterr().out
    assert json.loads(said.splitlines()[-1]) == {"people": [{"name": "alice", "role": "admin"}]}
    assert "scrypt" not in said and "a good password" not in said
    assert main(["auth", "remove", "alice"]) == 0 and file.accounts() == {}
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["auth", "add", "bob"]) == 2
    assert "password: a password of 5 characters" in capsys.readouterr().err
