"""A peer's process: asked, answering, refusing, dying."""

import sys

import pytest

from mtlab.bench.peer import Peer
from mtlab.errors import NotAvailable

PROGRAM = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["command"] == "die":
        sys.exit("I have had enough")
    answer = {"problem": "no such thing"} if message["command"] == "fail" else {"got": message["x"]}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def peer():
    made = Peer("somebody", [sys.executable, "-c", PROGRAM])
    yield made
    made.close()
    made.close()


def test_it_is_asked_and_answers(peer):
    assert peer.ask("say", x=[1, 2]) == {"got": [1, 2]}


def test_what_it_cannot_do_it_says(peer):
    with pytest.raises(NotAvailable, match="somebody.*no such thing"):
        peer.ask("fail")
    assert peer.ask("say", x=3) == {"got": 3}


def test_its_last_words_are_kept(peer):
    with pytest.raises(NotAvailable, match="its process ended: I have had enough"):
        peer.ask("die")
    with pytest.raises(NotAvailable, match="its process ended"):
        peer.ask("say", x=4)
