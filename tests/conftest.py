"""What every test may use: a home of its own, a tiny model, and the shared real files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before torch is imported anywhere: idle threads must sleep, and nothing may ask a model hub.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["MTLAB_SPARE_MINUTES"] = "0"  # a process that stands ready is for its own tests

from mtlab.settings import Settings  # noqa: E402
from tests.kept_answers import KeptAnswers  # noqa: E402

TINY_TEXT = """
Translate the following sentence from German to English. Give a translation of this sentence in
French, Icelandic. ### Instruction: ### Input: ### Response: Where is the station? Wo ist der
Bahnhof? Das Haus ist rot. The house is red. Ich lese ein Buch. I am reading a book. Il pleut.
"""


BESIDE_OTHERS = ("e2e", "ui")
"""Folders of tests that wait for other processes, a browser among them, on a machine they share."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a test that waits for other processes a second try; the summary names it (RERUN)."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in BESIDE_OTHERS:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a lab whose home is empty, for this test alone."""
    monkeypatch.setenv("MTLAB_HOME", str(tmp_path / "home"))
    return Settings.from_environment()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files beside the repository; a test that needs it fails without it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.fail(f"the real files are missing: expected them in '{folder.name}' beside the repo")
    return folder


@pytest.fixture(scope="session")
def kept_answers(tmp_path_factory: pytest.TempPathFactory) -> KeptAnswers:
    """What nano says untuned, from one home to others; the workers of a session share it."""
    own = tmp_path_factory.getbasetemp()
    ours = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return KeptAnswers(ours / "kept-answers")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Llama of random weights (2 layers, 300 tokens) and its own tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator([TINY_TEXT], trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=256,
            initializer_range=0.2,  # wide, so that its predictions are not all alike
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
        )
    )
    folder = tmp_path_factory.mktemp("tiny-model")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
