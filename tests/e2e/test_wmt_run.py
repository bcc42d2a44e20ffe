"""A run on real WMT text, through sacrebleu's own loader, from training to scores."""


def test_train_on_wmt_and_decode_50_sentences_of_wmt22(mtlab, wmt_cache):
    status, run, text = mtlab(
        "run", "--base", "nano", "--corpus", "wmt", "--size", "32", "--train", "de-en",
        "--train", "en-de", "--test", "de-en", "--test-limit", "50", "--no-score-base",
        "--max-new-tokens", "96", "--metric", "bleu", "--metric", "chrf", "--json",
        SACREBLEU=str(wmt_cache),
    )  # fmt: skip
    assert status == 0, text
    scores = run["scores"]["de-en"]
    assert scores["bleu"]["n"] == 50
    assert scores["chrf"]["value"] > 0
