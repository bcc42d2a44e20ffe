import pytest

from mtlab.errors import InputError, MtlabError
from mtlab.runs.explaining import explain
from mtlab.runs.job_environment import asks_the_hub
from mtlab.secrecy import is_secret, redacted, without_secrets
from mtlab.spec import RunSpec

TOKEN = "hf_" + "Ab3dEf6hIj9lMn2pQr5t"
PLANTED = {"HF_TOKEN": "plainlookingtoken", "OAUTH_CLIENT_SECRET": "s3cr3t-of-the-app"}


def test_what_a_variable_holds_is_told_from_its_name():
    secret = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OAUTH_CLIENT_SECRET", "AWS_SECRET_KEY",
              "OPENAI_API_KEY", "DB_PASSWORD", "PGPASSWORD", "my_token")  # fmt: skip
    plain = ("PATH", "MTLAB_HOME", "TOKENIZERS_PARALLELISM", "MTLAB_RUN_TOKEN", "HOME", "KEYBOARD",
             "MTLAB_AUTH_FILE", "PYTHONPATH", "HF_HOME", "CUDA_VISIBLE_DEVICES")  # fmt: skip
    assert [name for name in secret if not is_secret(name)] == []
    assert [name for name in plain if is_secret(name)] == []


def test_a_process_gets_the_tokens_that_it_needs():
    env = {"PATH": "/bin", "MTLAB_HOME": "/h", **PLANTED}
    assert without_secrets(env, hub=False) == {"PATH": "/bin", "MTLAB_HOME": "/h"}
    assert without_secrets(env, hub=True) == {
        "PATH": "/bin", "MTLAB_HOME": "/h", "HF_TOKEN": PLANTED["HF_TOKEN"]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "asks"),
    [
        ({}, False), ({"metrics": ["bleu", "comet"]}, True), ({"base": "qwen2.5-0.5b"}, True),
        ({"base": "owner/name"}, True), ({"corpus": "hub:owner/name"}, True),
        ({"test_corpus": "hub:owner/name"}, True), ({"base": "run:20260101-000000-abcd"}, True),
        ({"noise": {"kind": "sentence", "translator": "owner/name"}}, True),
    ],
)  # fmt: skip
def test_a_run_needs_the_hubs_token_where_it_asks_the_hub(changes, asks):
    spec = RunSpec(**{"train": ("de-en",), "metrics": ("bleu",), **changes})
    assert asks_the_hub(spec.to_json()) is asks


@pytest.mark.parametrize(
    "text",
    [
        f"401 for https://huggingface.co/api/models/x?token={TOKEN}",
        "header Authorization: Bearer plainlookingtoken",
        "https://user:plainlookingtoken@example.org/x",
        "s3cr3t-of-the-app",
        f"{TOKEN}{TOKEN}",
    ],
)
def test_no_message_echoes_a_secret(text, monkeypatch):
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    failed = explain(RuntimeError(text), "load")
    said = [
        redacted(text),
        str(MtlabError(text, why=text, fix=text)),
        str(InputError(text, field=text)),
        str(InputError(text).to_json()),
        str(failed),
    ]
    for one in said:
        assert "[secret]" in one
        for secret in (TOKEN, *PLANTED.values()):
            assert secret not in one


def test_other_text_is_left_as_it_is():
    for text in ("hf_home", "https://huggingface.co/a/b: not found", "a_b c://d", "bearer of news"):
        assert redacted(text, {}) == text
    assert redacted("1", {"A_TOKEN": "1"}) == "1"


def test_a_sentence_is_one_line_that_can_be_written():
    error = InputError("a\nb\x1b[31m\ud800c\u2028d" + "x" * 5000, field="f\ng")
    said = str(error)
    assert said.startswith("f g: a b [31m c d") and len(said) < 1000
    said.encode()
