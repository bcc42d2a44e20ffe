"""A person's own files: what is taken, what is held out, and what is refused with one sentence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtlab.corpora import check, corpora_for, open_corpus
from mtlab.corpora.files import MAX_CHARACTERS
from mtlab.corpora.own import divide
from mtlab.errors import InputError
from mtlab.spec import Direction, RunSpec

DE_EN = Direction.parse("de-en")
PAIRS = [(f"Satz {n}", f"Sentence {n}") for n in range(1, 21)]


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return str(path)

    return write


def table(separator="\t", header="de{}en\n"):
    return header.format(separator) + "".join(f"{a}{separator}{b}\n" for a, b in PAIRS)


SHAPES = {
    "header.tsv": (table(), ""),
    "windows.tsv": ("\ufeff" + table().replace("\n", "\r\n"), ""),
    "bare.tsv": (table(header=""), ":de-en"),
    "named.tsv": (table(header="source{}target\n"), ":de-en"),
    "header.csv": (table(","), ""),
    "bare.csv": ("".join(f'"{a}","{b}"\n' for a, b in PAIRS), ":de-en"),
    "codes.jsonl": ("".join(json.dumps({"de": a, "en": b}) + "\n" for a, b in PAIRS), ""),
    "sides.jsonl": (
        "".join(json.dumps({"source": a, "target": b}) + "\n" for a, b in PAIRS),
        ":de-en",
    ),
    "each.jsonl": (
        "".join(
            json.dumps({"source": a, "target": b, "direction": "de-en"}) + "\n" for a, b in PAIRS
        ),
        "",
    ),
    "nested.jsonl": (
        "".join(json.dumps({"translation": {"de": a, "en": b}}) + "\n" for a, b in PAIRS),
        "",
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_gives_the_same_pairs(name, write, home):
    content, direction = SHAPES[name]
    corpus = open_corpus(write(name, content) + direction, home)
    pairs = corpus.pool(DE_EN) + corpus.test(DE_EN)
    assert sorted((pair.source, pair.target) for pair in pairs) == sorted(PAIRS)
    assert len(corpus.test(DE_EN)) == 2
    assert {str(d) for d in corpus.train_directions()} == {"de-en", "en-de"}


def test_two_aligned_files(write, home):
    source = write("a.de", "".join(f"{a}\n" for a, _ in PAIRS))
    target = write("a.en", "".join(f"{b}\n" for _, b in PAIRS))
    corpus = open_corpus(f"{source},{target}:de-en", home)
    assert {(p.source, p.target) for p in corpus.pool(DE_EN) + corpus.test(DE_EN)} == set(PAIRS)


def test_rare_line_separators_stay_inside_a_sentence(write, home):
    source = write("a.de", "Eins\u2028zwei\nDrei\n")
    target = write("a.en", "One\u2028two\nThree\n")
    corpus = open_corpus(f"{source},{target}:de-en", home)
    assert len(corpus.pool(DE_EN) + corpus.test(DE_EN)) == 2


def test_a_table_in_four_languages_serves_twelve_directions(write, home):
    lines = "".join(f"a{n}\tb{n}\tc{n}\td{n}\n" for n in range(9))
    corpus = open_corpus(write("four.tsv", "de\ten\tfr\tis\n" + lines), home)
    assert len(corpus.train_directions()) == 12


def test_a_key_leads_to_the_line(write, home):
    corpus = open_corpus(write("mine.tsv", table()), home)
    pair = corpus.pool(DE_EN)[0]
    number = int(pair.key.rsplit(":", 1)[1])
    assert PAIRS[number - 2] == (pair.source, pair.target)  # line 1 is the header


def test_a_quoted_cell_over_two_lines_is_one_sentence(write, home):
    corpus = open_corpus(write("a.csv", 'de,en\n"Eins\nzwei",One\nDrei,Three\n'), home)
    assert "Eins zwei" in {p.source for p in corpus.pool(DE_EN) + corpus.test(DE_EN)}


@given(st.integers(2, 9000))
def test_held_out_share(count):
    rows = {number: {"de": f"Satz {number}"} for number in range(count)}
    train, test = divide(rows, "both")
    assert len(test) == min(500, max(1, count // 10))
    assert train | test == rows and not train.keys() & test.keys()


def test_what_is_held_out_depends_on_the_text_alone():
    rows = {number: {"de": f"Satz {number}"} for number in range(50)}
    shuffled = {50 - number: row for number, row in rows.items()}
    held = {row["de"] for row in divide(rows, "both")[1].values()}
    assert {row["de"] for row in divide(shuffled, "both")[1].values()} == held


def test_a_separate_test_file_leaves_both_whole(write, home):
    spec = RunSpec(
        corpus=write("train.tsv", table()),
        test_corpus=write("test.tsv", "de\ten\nNeu\tNew\nAlt\tOld\n"),
        train="de-en",
        size=20,
    )
    corpora = corpora_for(spec, home)
    assert len(corpora.train.pool(DE_EN)) == 20
    assert len(corpora.test.test(DE_EN)) == 2
    check(spec, home)


def test_a_changed_file_is_read_again(write, home):
    name = write("a.tsv", table())
    before = open_corpus(name, home)
    assert open_corpus(name, home) is before
    write("a.tsv", table() + "Neu\tNew\n")
    after = open_corpus(name, home)
    assert len(after.pool(DE_EN)) + len(after.test(DE_EN)) == 21


BAD = {
    "latin1.tsv": (
        "de\ten\nGr\xfc\xdfe\tHi\n".encode("latin-1"),
        "line 2 of 'latin1.tsv' is not UTF-8",
    ),
    "hole.tsv": ("de\ten\nJa\tYes\nNein\t\n", "line 3 of 'hole.tsv' is empty in 'en'"),
    "blank.tsv": ("de\ten\nJa\tYes\n\nNein\tNo\n", "line 3 of 'blank.tsv' is empty: delete"),
    "wide.tsv": ("de\ten\nJa\tYes\tOui\n", "line 2 of 'wide.tsv' has 3 columns where 2"),
    "header.tsv": ("de\ten\n", "has a header and no rows"),
    "none.tsv": ("", "'none.tsv' is empty"),
    "unknown.tsv": ("xx\tyy\nJa\tYes\n", "line 1 of 'unknown.tsv' names no two known languages"),
    "single.tsv": ("Ja\nNein\n", "line 1 of 'single.tsv' has one column"),
    "one.tsv": ("de\ten\nJa\tYes\n", "one row cannot be both trained and tested on"),
    "long.tsv": (f"de\ten\n{'a' * (MAX_CHARACTERS + 1)}\tb\n", "line 2 of 'long.tsv' has 10,001"),
    "zero.tsv": ("de\ten\nJ\x00a\tYes\n", "line 2 of 'zero.tsv' has a zero byte"),
    "quote.csv": ('de,en\n"Ja,Yes\n', "of 'quote.csv' is not CSV"),
    "broken.jsonl": ('{"de": "Ja", "en": "Yes"}\n{"de":\n', "line 2 of 'broken.jsonl' is not JSON"),
    "gap.jsonl": ('{"de": "Ja", "en": "Yes"}\n\n', "line 2 of 'gap.jsonl' is empty"),
    "list.jsonl": ("[1, 2]\n", "line 1 of 'list.jsonl' is not an object"),
    "number.jsonl": ('{"de": "Ja", "en": 3}\n', "line 1 of 'number.jsonl' has no text for 'en'"),
    "lone.jsonl": ('{"de": "Ja"}\n', "line 1 of 'lone.jsonl' lacks two known languages"),
    "sides.jsonl": (
        '{"source": "Ja", "target": "Yes"}\n',
        "line 1 of 'sides.jsonl' has no direction",
    ),
    "words.txt": ("Ja\tYes\n", "'words.txt' is not a TSV, CSV or JSONL file"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_one_sentence(name, write, home):
    content, expected = BAD[name]
    with pytest.raises(InputError) as caught:
        open_corpus(write(name, content), home)
    message = str(caught.value)
    assert message.startswith("corpus: ") and expected in message
    assert caught.value.fix and "\n" not in message


def test_files_of_unequal_length(write, home):
    name = f"{write('a.de', 'Eins' + chr(10) + 'Zwei' + chr(10))},{write('a.en', 'One')}:de-en"
    with pytest.raises(InputError, match="'a.de' has 2 lines and 'a.en' has 1 line: give two"):
        open_corpus(name, home)


def test_an_empty_line_in_an_aligned_file(write, home):
    name = (
        f"{write('a.de', 'Eins' + 2 * chr(10) + 'Drei')},{write('a.en', 'a' + 2 * chr(10) + 'c')}"
    )
    with pytest.raises(InputError, match="line 2 of 'a.de' is empty"):
        open_corpus(f"{name}:de-en", home)


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path, home):
    path = tmp_path / "large.tsv"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    with pytest.raises(
        InputError, match="has 200.0 MB, and 50 MB are allowed.*MTLAB_MAX_UPLOAD_MB"
    ):
        open_corpus(str(path), home)


def test_no_such_corpus(home):
    with pytest.raises(InputError, match="there is no corpus or file 'everday': use everyday, wmt"):
        open_corpus("everday", home)


def test_one_of_two_files_is_missing(write, home):
    with pytest.raises(InputError, match="there is no corpus or file 'gone.en'"):
        open_corpus(f"{write('a.de', 'Ja')},gone.en:de-en", home)


def test_the_test_corpus_is_named_when_it_is_wrong(home):
    spec = RunSpec(train="de-en", test_corpus="gone.tsv")
    with pytest.raises(InputError, match="^test_corpus: there is no corpus or file"):
        check(spec, home)
