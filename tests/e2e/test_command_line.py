"""The command line against real processes: what it does, and how it says what it cannot do."""

import json

import pytest

QUICK = ("--steps", "2", "--test-limit", "3", "--probe-size", "0", "--strategy", "greedy")
QUICK += ("--max-new-tokens", "24", "--metric", "bleu", "--metric", "chrf")


def test_a_run_from_launch_to_export_and_deletion(mtlab, tiny_model, tmp_path):
    status, run, text = mtlab(
        "run", "--base", str(tiny_model), "--size", "4", "--train", "de-en", *QUICK, "--json"
    )
    assert status == 0, text
    assert run["state"] == "finished"
    assert set(run["seconds"]) >= {"prepare", "load", "base", "train", "decode", "score"}
    for scores in (run["scores"]["de-en"], run["base"]["de-en"]):
        assert scores["bleu"]["n"] == 3
        assert "nrefs:1|" in scores["bleu"]["signature"]
        assert 0 <= scores["chrf"]["low"] <= scores["chrf"]["high"] <= 100
        assert set(scores["failures"].values()) <= {0, 1 / 3, 2 / 3, 1}

    status, listed, _ = mtlab("runs", "list", "--json")
    assert [row["id"] for row in listed["runs"]] == [run["id"]]

    status, shown, text = mtlab("runs", "show", run["id"], "--json")
    assert status == 0 and shown["scores"] == run["scores"]
    assert "mtlab run --base" in text

    status, translated, text = mtlab(
        "translate", "--model", run["id"], "--direction", "de-en", "--json",
        stdin="Das Haus ist rot.\n\n" + "Wo ist das Buch? " * 500,
    )  # fmt: skip
    assert status == 0, text
    assert len(translated["hypotheses"]) == 3
    assert translated["hypotheses"][1:] == ["", ""]
    assert translated["ended"][1:] == [True, False]
    assert "line 3 is not translated: the source is longer than the model's context" in text

    status, _, _ = mtlab("runs", "export", run["id"], "-o", "out.zip")
    assert status == 0 and (tmp_path / "out.zip").stat().st_size > 0

    status, rebuilt, _ = mtlab("runs", "rebuild", "--json")
    assert status == 0 and rebuilt == {"runs": 1}

    assert mtlab("runs", "delete", run["id"])[0] == 0
    assert mtlab("runs", "list", "--json")[1] == {"runs": []}


def test_systems_to_compare_with_are_runs_like_any_other(mtlab, tmp_path):
    status, run, text = mtlab(
        "run", "--method", "few-shot", "--size", "3", "--test", "de-en", "--test-limit", "8",
        "--metric", "bleu", "--json",
    )  # fmt: skip
    assert status == 0, text
    assert "fine-tuned" not in text and "few-shot" in text
    assert list(run["seconds"]) == ["prepare", "load", "base", "decode", "score"]
    bleu = run["scores"]["de-en"]["bleu"]
    assert bleu["n"] == 8 and bleu["value"] > 2 * run["base"]["de-en"]["bleu"]["value"]

    status, answer, text = mtlab(
        "translate", "--model", run["id"], "--direction", "de-en", "--json",
        stdin="Der Hund schläft.\n",
    )  # fmt: skip
    assert status == 0 and answer["hypotheses"][0], text

    lines = (tmp_path / "home" / "runs" / run["id"] / "translations" / "de-en.jsonl").read_text()
    hypotheses = [json.loads(line)["hypothesis"] for line in lines.splitlines()]
    (tmp_path / "ours.de-en.txt").write_text("\n".join(hypotheses) + "\n", encoding="utf-8")
    status, ours, text = mtlab(
        "run", "--method", "none", "--base", "outputs:ours.{direction}.txt", "--test", "de-en",
        "--test-limit", "8", "--metric", "bleu", "--json",
    )  # fmt: skip
    assert status == 0, text
    assert ours["scores"]["de-en"]["bleu"]["value"] == pytest.approx(bleu["value"])

    _, listed, text = mtlab("runs", "list", "--json")
    assert [row["train"] for row in listed["runs"]] == ["not trained", "examples shown"]
    status, _, text = mtlab("report", run["id"], ours["id"], "-o", "report.html")
    assert status == 0, text
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "nano, 3 examples shown" in page and "ours.{direction}.txt, not trained" in page


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run",), "train"),
        (("run", "--method", "none"), "no test direction is given"),
        (("run", "--method", "few-shot", "--test", "de-en", "--size", "33"), "give 1 to 32"),
        (("run", "--method", "none", "--test", "de-en", "--base", "outputs:none.txt"), "be read"),
        (("run", "--base", "outputs:none.txt", "--train", "de-en"), "choose the method none"),
        (("run", "--train", "de-de"), "into itself"),
        (("run", "--train", "xx-en"), "not a language"),
        (("run", "--train", "cs-en"), "cs-en"),
        (("run", "--train", "de-en", "--size", "0"), "size"),
        (("run", "--train", "de-en", "--size", "-5"), "size"),
        (("run", "--train", "de-en", "--size", "1000000"), "size"),
        (("run", "--train", "de-en", "--noise", "word", "--noise-ratio", "1.5"), "ratio"),
        (("run", "--train", "de-en", "--base", "no/such/folder"), "base"),
        (("run", "--train", "de-en", "--corpus", "nowhere.tsv"), "nowhere.tsv"),
        (("run", "--train", "de-en", "--test", "cs-en"), "cs-en"),
        (("run", "nowhere.yaml"), "nowhere.yaml"),
        (("run", "--train", "de-en", "--colour", "red"), "--colour"),
        (("runs", "show", "19990101"), "19990101"),
        (("translate", "--direction", "de-en", "--model", "19990101-000000-dead"), "19990101"),
        (("translate", "--direction", "nonsense"), "direction"),
        (("score", "--src", "a", "--ref", "b", "--hyp", "c", "--direction", "de-en"), "--hyp"),
        (("noise", "--kind", "gremlins", "--direction", "de-en"), "gremlins"),
        (("noise", "--direction", "de-en", "nowhere.txt"), "nowhere.txt"),
        (("bench", "cooking"), "part: there is no 'cooking'"),
        (("bench", "comet", "--against", "nobody"), "use comet-score, comet-predict"),
        (("bench", "comet", "--rounds", "0"), "rounds: '0' is no number of rounds"),
        (("bench", "comet", "--checkpoint", "nowhere"), "checkpoint: 'nowhere' holds no COMET"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_bad_input_gets_one_sentence_and_status_2(mtlab, words, says, tmp_path):
    status, _, text = mtlab(*words)
    assert status == 2, text
    assert says in text
    assert len(text.strip().splitlines()) == 1, text
    assert not list((tmp_path / "home").glob("runs/*"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("train: de-en\n1: 4\n", "1: there is no such field"),
        ("train: no\n", "train: 'False' is not a direction"),
        ("train: de-en\nnoise: word\n", "noise: 'word' is not made of fields"),
        ("train: de-en\nnoise: {kind: word, ratio: 3}\n", "noise.ratio: 3 is out of range"),
        ("", "does not hold a spec"),
    ],
)
def test_a_bad_spec_file_gets_one_sentence_whatever_flags_add(mtlab, tmp_path, text, says):
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    status, _, said = mtlab("run", "spec.yaml", "--side", "source")
    assert status == 2 and says in said
    assert len(said.strip().splitlines()) == 1, said


def test_a_hub_model_without_a_hub_says_so(mtlab):
    status, data, text = mtlab("run", "--base", "owner/model", "--train", "de-en", "--json")
    assert status == 1, text
    assert data["error"]["fix"]


def test_score_gives_what_sacrebleu_gives(mtlab, tmp_path):
    import sacrebleu

    references = ["The cat sat on the mat.", "It is raining again today.", "Who is there?"]
    hypotheses = ["The cat sat on a mat.", "It rains today again.", "Who is it?"]
    for name, lines in (("ref", references), ("hyp", hypotheses), ("src", ["x"] * 3)):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    status, data, text = mtlab(
        "score", "--src", "src", "--ref", "ref", "--hyp", "hyp", "--direction", "de-en",
        "--metric", "bleu", "--metric", "chrf", "--json",
    )  # fmt: skip
    assert status == 0, text
    scores = data["systems"][0]["scores"]
    assert scores["bleu"]["value"] == pytest.approx(
        sacrebleu.corpus_bleu(hypotheses, [references]).score
    )
    assert scores["chrf"]["value"] == pytest.approx(
        sacrebleu.corpus_chrf(hypotheses, [references]).score
    )


def test_score_compares_every_system_with_the_first(mtlab, tmp_path):
    references = ["The cat sat on the mat.", "It is raining again today.", "Who is there?"]
    for name, lines in (
        ("ref", references),
        ("good", references),
        ("same", references),
        ("poor", ["The cat.", "It rains.", "Who is it?"]),
        ("src", ["x"] * 3),
    ):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    arguments = [
        "score",
        "--src",
        "src",
        "--ref",
        "ref",
        "--direction",
        "de-en",
        "--metric",
        "chrf",
    ]
    files = ["--hyp", "good", "--hyp", "same", "--hyp", "poor"]
    status, data, text = mtlab(*arguments, *files, "--json")
    assert status == 0, text
    same, poor = data["comparisons"]
    assert (same["p_value"], same["verdict"]) == (1.0, "no difference found")
    assert poor["difference"] < 0 and poor["low"] < 0
    assert "against good" in text and "no difference found" in text and "(Holm)" in text
    status, data, text = mtlab(*arguments, "--hyp", "good", "--json")
    assert data["comparisons"] == [] and "against" not in text


def test_noise_shows_both_sides(mtlab):
    status, data, text = mtlab("noise", "--direction", "de-en", "--size", "4", "--json")
    assert status == 0, text
    assert len(data["pairs"]) == 4
    assert "noisy" in text


def test_doctor_answers_without_a_hub(mtlab):
    status, data, text = mtlab("doctor", "--json")
    assert status == 0, text
    names = [check["name"] for check in data["checks"]]
    assert {"device", "precision", "COMET", "hub", "disk"} <= set(names)


def test_a_finished_run_translates_for_the_noise_of_the_next(mtlab, tiny_model, tmp_path):
    words = ("run", "--base", str(tiny_model), "--size", "4", "--train", "de-en", *QUICK)
    status, first, text = mtlab(*words, "--no-score-base", "--json")
    assert status == 0, text
    noisy = ("--noise", "sentence", "--side", "both", "--translator", "latest")
    status, second, text = mtlab(*words, "--no-score-base", *noisy, "--json")
    assert status == 0 and second["state"] == "finished", text
    folder = tmp_path / "home" / "runs" / second["id"]
    spec = json.loads((folder / "spec.json").read_text())
    assert spec["noise"]["translator"] == first["id"]
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    touched = [row for row in rows if row["touched"]]
    assert len(rows) == 4 and touched
    assert all(row["target"] != row["clean_target"] for row in rows if "target" in row["touched"])
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["noisy_pairs"] == len(touched)
    assert len(list((tmp_path / "home" / "cache" / "translations").iterdir())) == 2


def test_noise_of_any_kind_on_any_text(mtlab, tmp_path):
    (tmp_path / "de-en.txt").write_text("hund dog\nder the\nschläft sleeps\n", encoding="utf-8")
    words = ("noise", "--direction", "de-en", "-", "--json")
    stdin = "Der Hund schläft.\tThe dog is asleep.\nEs ist nicht spät.\tIt is not late.\n"
    kinds = {
        "grammar": (), "semantic": (), "jargon": (), "typo": (), "misaligned": (),
        "wrong-language": (), "truncated": (), "word": ("--dictionary", "de-en.txt"),
    }  # fmt: skip
    for kind, options in kinds.items():
        status, shown, text = mtlab(*words, "--kind", kind, *options, stdin=stdin)
        assert status == 0, text
        assert all(pair["touched"] == ["target"] for pair in shown["pairs"]), kind
        assert "[" in text or kind == "truncated"
    assert shown["pairs"][0]["target"] == "The dog sleeps."
