"""The paper's data, for real: sacrebleu's loader on the real files, every pair drawn."""

import json
import os
import shutil
import subprocess
import sys

import pytest

PAPER = {
    "cs-en": 6652,
    "en-cs": 9403,
    "de-en": 8787,
    "en-de": 9417,
    "ja-en": 993,
    "en-ja": 1000,
    "ru-en": 8992,
    "en-ru": 10000,
    "zh-en": 9982,
    "en-zh": 9397,
}
TEST = {
    **{"cs-en": 1448, "de-en": 1984, "ja-en": 2008, "ru-en": 2016, "uk-en": 2018, "zh-en": 1875},
    **dict.fromkeys(("en-cs", "en-de", "en-ja", "en-ru", "en-uk", "en-zh"), 2037),
    **{"en-hr": 1671, "de-fr": 1984, "fr-de": 2006},
    **{"is-en": 1000, "en-is": 1000, "ha-en": 997, "en-ha": 1000},
}

# sacrebleu reads SACREBLEU when it is imported, so each look at a cache is its own process.
LOOK = """
import json, sys
from collections import Counter
from mtlab.corpora import check, draw, open_corpus
from mtlab.errors import MtlabError
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

settings = Settings.from_environment()
corpus = open_corpus("wmt", settings)
paper = [Direction.parse(code) for code in json.loads(sys.argv[1])]

def said(act):
    try:
        act()
    except MtlabError as error:
        return type(error).__name__, str(error)

def look():
    everything = draw(corpus, paper, 74_623, 0)
    tested = draw(corpus, paper, 74_623, 0, "balanced", corpus, paper)
    small = draw(corpus, paper, 32, 0, "balanced", corpus, paper)
    proportional = draw(corpus, paper, 1000, 0, "proportional")
    return {
        "pools": {str(d): len(corpus.pool(d)) for d in corpus.train_directions()},
        "tests": {str(d): len(corpus.test(d)) for d in corpus.test_directions()},
        "empty": sum(not p.source or not p.target for p in everything.pairs),
        "drawn": Counter(str(p.direction) for p in everything.pairs),
        "keys": len({p.key for p in everything.pairs}),
        "removed": sum(tested.removed.values()),
        "left": len(tested.pairs),
        "nested": tested.pairs[:32] == small.pairs,
        "small": Counter(str(p.direction) for p in small.pairs),
        "proportional": Counter(str(p.direction) for p in proportional.pairs),
        "example": corpus.pool(paper[2])[0].to_json(),
        "is": corpus.test(Direction.parse("is-en"))[0].to_json(),
        "refused": [
            said(lambda: draw(corpus, paper, 74_624, 0)),
            said(lambda: check(RunSpec(corpus="wmt", train="en-hr"), settings)),
            said(lambda: check(RunSpec(corpus="wmt", train="de-en", test="de-is"), settings)),
        ],
    }

print(json.dumps(look() if len(sys.argv) < 3 else said(lambda: corpus.pool(paper[0]))))
"""


def look(cache, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", LOOK, json.dumps(list(PAPER)), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SACREBLEU": str(cache), **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def seen(shared, tmp_path_factory):
    cache = tmp_path_factory.mktemp("sacrebleu") / "cache"
    shutil.copytree(shared / "sacrebleu", cache, copy_function=shutil.copyfile)
    for folder, _, _ in os.walk(cache):
        os.chmod(folder, 0o755)  # the shared files are read-only, and sacrebleu sets locks
    return look(cache)


def test_the_ten_directions_of_the_paper_hold_74_623_pairs(seen):
    assert {code: seen["pools"][code] for code in PAPER} == PAPER
    assert sum(PAPER.values()) == 74_623
    assert seen["pools"]["de-fr"] == seen["pools"]["fr-de"] == 3320
    assert len(seen["pools"]) == 12


def test_all_of_them_can_be_drawn(seen):
    assert seen["drawn"] == PAPER
    assert seen["keys"] == 74_623
    assert seen["empty"] == 0


def test_test_sets_have_their_known_sizes(seen):
    assert seen["tests"] == TEST


def test_what_stands_in_the_test_set_is_removed_and_counted(seen):
    assert seen["removed"] > 0
    assert seen["left"] == 74_623 - seen["removed"]


def test_small_draws_are_nested_and_fair(seen):
    assert seen["nested"]
    assert sorted(seen["small"].values()) == [3] * 8 + [4] * 2
    for code, pairs in PAPER.items():
        assert abs(seen["proportional"][code] - 1000 * pairs / 74_623) < 2


def test_pairs_are_the_real_ones(seen):
    assert seen["example"]["key"] == "wmt17:de-en:1"
    assert seen["example"]["direction"] == "de-en"
    assert seen["is"]["key"] == "wmt21:is-en:1"


def test_what_there_is_not_is_refused_with_one_sentence(seen):
    sizes, croatian, missing = seen["refused"]
    assert sizes[1].startswith("size: 74,624 pairs are asked for, and the WMT corpus has 74,623")
    assert croatian[1].startswith("train: the WMT corpus has no training pairs for en-hr: use one")
    assert missing[1].startswith("test: the WMT corpus has no test pairs for de-is: use one of")


def test_without_the_files_or_a_network_it_says_what_to_do(tmp_path):
    nowhere = "http://127.0.0.1:9"
    kind, message = look(tmp_path, "absent", http_proxy=nowhere, https_proxy=nowhere, no_proxy="")
    assert kind == "NotAvailable"
    assert message.startswith("wmt17 cs-en is not in ")
    assert "set SACREBLEU to a writable folder that holds it" in message
    assert "\n" not in message
