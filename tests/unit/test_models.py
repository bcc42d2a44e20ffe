from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtlab import models
from mtlab.defaults import complete
from mtlab.errors import InputError, NotAvailable
from mtlab.models import fits, memory
from mtlab.presets import BASES, Base, resolve_base
from mtlab.settings import Settings
from mtlab.spec import RunSpec


def folder_base(folder: Path) -> Base:
    return Base(name=folder.name, title=folder.name, path=folder)


def write_model(folder: Path, **config: object) -> Base:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return folder_base(folder)


def test_a_model_is_described_from_its_headers(tiny_model: Path, home: Settings) -> None:
    facts = models.inspect(folder_base(tiny_model), home)
    assert facts.architecture == "LlamaForCausalLM"
    assert facts.is_causal and not facts.has_pickled_only
    assert facts.context == 256
    assert facts.bytes == (tiny_model / "model.safetensors").stat().st_size
    loaded = models.load(folder_base(tiny_model), precision="fp32", device="cpu", settings=home)
    tied = loaded.model.get_output_embeddings().weight is loaded.model.get_input_embeddings().weight
    assert facts.parameters == sum(p.numel() for p in loaded.model.parameters())
    assert not tied


def test_describing_a_model_needs_no_torch() -> None:
    code = (
        "import sys; from mtlab import models; from mtlab.settings import Settings;"
        "from mtlab.presets import resolve_base; from mtlab.spec import Training;"
        "s = Settings.from_environment(); b = resolve_base('nano', s);"
        "f = models.inspect(b, s); models.check_fits(f, Training(method='full'), s);"
        "print(f.parameters, 'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    parameters, *loaded = answer.stdout.split()
    assert int(parameters) > 1_000_000
    assert loaded == ["False", "False"]


def test_no_causal_model(tmp_path: Path, home: Settings) -> None:
    base = write_model(tmp_path / "bert", architectures=["BertForMaskedLM"], model_type="bert")
    (tmp_path / "bert" / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(InputError, match="is a BertForMaskedLM and no causal language model"):
        models.inspect(base, home)


def test_pickled_weights_are_refused(tmp_path: Path, home: Settings) -> None:
    base = write_model(tmp_path / "opt", architectures=["OPTForCausalLM"], model_type="opt")
    (tmp_path / "opt" / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(InputError, match="pickled weights only.*never loaded"):
        models.inspect(base, home)


def test_a_folder_without_a_tokenizer(tiny_model: Path, tmp_path: Path, home: Settings) -> None:
    base = write_model(tmp_path / "m", architectures=["LlamaForCausalLM"], model_type="llama")
    shutil.copy(tiny_model / "model.safetensors", tmp_path / "m")
    with pytest.raises(InputError, match="holds no tokenizer"):
        models.inspect(base, home)


def test_a_folder_without_weights(tmp_path: Path, home: Settings) -> None:
    base = write_model(tmp_path / "m", architectures=["LlamaForCausalLM"], model_type="llama")
    with pytest.raises(InputError, match="holds no weights"):
        models.inspect(base, home)


def test_a_model_that_brings_code_is_refused(tmp_path: Path, home: Settings) -> None:
    base = write_model(
        tmp_path / "own",
        architectures=["OwnForCausalLM"],
        model_type="own-thing",
        auto_map={"AutoModelForCausalLM": "modeling_own.OwnForCausalLM"},
    )
    (tmp_path / "own" / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    with pytest.raises(InputError, match="needs code of its own, which is never run"):
        models.inspect(base, home)


@pytest.mark.parametrize("content", [b"", b"\xff" * 16, b"\x05\0\0\0\0\0\0\0{]"])
def test_a_torn_weights_file(tmp_path: Path, home: Settings, content: bytes) -> None:
    base = write_model(tmp_path / "t", architectures=["LlamaForCausalLM"], model_type="llama")
    (tmp_path / "t" / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="not a whole safetensors file"):
        models.inspect(base, home)


def test_a_torn_config(tmp_path: Path, home: Settings) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="config.json of .* cannot be read"):
        models.inspect(folder_base(tmp_path), home)


SEVEN_B = models.ModelFacts(
    parameters=6_738_000_000,
    bytes=13_476_000_000,
    architecture="LlamaForCausalLM",
    is_causal=True,
    has_pickled_only=False,
    context=4096,
    hidden=4096,
    layers=32,
    vocabulary=32000,
)


def training_of(method: str) -> object:
    # In a format of its own, or what fits would hang on this machine's processor.
    training = {"method": method, "precision": "bf16"}
    return complete(
        RunSpec(base="llama-2-7b", train=["de-en"], training=training),
        resolve_base("llama-2-7b", Settings.from_environment()),
    ).training


def test_memory_is_estimated_about_right() -> None:
    full = memory.estimate(SEVEN_B.shape, training_of("full"), 0, "GPU")  # type: ignore[arg-type]
    lora = memory.estimate(SEVEN_B.shape, training_of("lora"), 0, "GPU")  # type: ignore[arg-type]
    # Weights, and what AdamW in fp32 is known to take: 16 bytes a parameter.
    assert 100e9 < full.total < 127e9
    assert 13e9 < lora.total < 24e9  # it is known to train on a 24 GB card


def test_what_several_devices_need() -> None:
    full = training_of("full")
    alone = memory.estimate(SEVEN_B.shape, full, 0, "GPU")  # type: ignore[arg-type]
    least = 2 * SEVEN_B.shape.parameters
    assert memory.Spread(4, "ddp").need(alone, least) == alone, "the whole model on each"
    shares = memory.Spread(4, "fsdp").need(alone, least)
    assert shares.training == alone.training // 4 and shares.weights == least
    assert shares.activations == alone.activations and shares.total < alone.total / 2
    assert memory.Spread(2, "fsdp").need(alone, 0).weights == alone.weights // 2
    here = memory.estimate(SEVEN_B.shape, full, 0, "main memory")  # type: ignore[arg-type]
    assert memory.Spread(2, "ddp").need(here, least).total == 2 * here.total


def test_too_large_is_said_before_loading(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fits, "available_memory", lambda: (16 * 2**30, "main memory"))
    with pytest.raises(NotAvailable) as caught:
        models.check_fits(SEVEN_B, training_of("full"), home)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "too large for this machine" in text
    assert "GiB needed, 16.0 GiB free (main memory)" in text
    assert "LoRA" in text and " fits" in text
    monkeypatch.setattr(fits, "available_memory", lambda: (160 * 2**30, "GPU"))
    assert models.check_fits(SEVEN_B, training_of("full"), home).where == "GPU"  # type: ignore[arg-type]


def test_whether_it_fits_is_told_from_what_is_known() -> None:
    there = (8 * 2**30, "main memory")
    full, lora = training_of("full"), training_of("lora")
    base = BASES["llama-2-7b"]
    known = models.fit_of(SEVEN_B, base, full, *there)  # type: ignore[arg-type]
    assert known.fits is False and "; a base as small as smollm2-135m fits" in known.sentence
    assert "8.0 GiB free (main memory)" in known.sentence
    assert models.fit_of(SEVEN_B, base, lora, 64 * 2**30, "GPU").fits  # type: ignore[arg-type]
    # Of a model that is not on this machine, its number of parameters is known at most.
    unseen = models.fit_of(None, base, lora, *there)  # type: ignore[arg-type]
    assert unseen.fits is False and "at least 12.6 GiB" in unseen.sentence
    small = models.fit_of(None, BASES["qwen2.5-0.5b"], lora, *there)  # type: ignore[arg-type]
    assert small.fits is None and "not known before it is fetched: at least 0.9" in small.sentence
    unknown = Base(name="a/b", title="", repo="a/b")
    assert models.fit_of(None, unknown, lora, *there).fits is None  # type: ignore[arg-type]


def test_there_is_some_memory() -> None:
    free, where = models.available_memory()
    assert free > 0 and where in {"GPU", "main memory"}


def test_loading_sets_a_pad_token_and_evaluates(tiny_model: Path, home: Settings) -> None:
    loaded = models.load(folder_base(tiny_model), precision="bf16", device="cpu", settings=home)
    assert loaded.dtype_name == "bf16"
    assert str(loaded.model.dtype) == "torch.bfloat16"
    assert not loaded.model.training
    assert loaded.tokenizer.pad_token_id is not None
    assert loaded.end_ids == (2,)
    assert loaded.context == 256


def test_a_tokenizer_without_padding_pads_with_its_end(
    tiny_model: Path, home: Settings, tmp_path: Path
) -> None:
    import shutil

    folder = tmp_path / "nopad"
    shutil.copytree(tiny_model, folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    del config["pad_token"]
    path.write_text(json.dumps(config))
    loaded = models.load(folder_base(folder), precision="fp32", device="cpu", settings=home)
    assert loaded.tokenizer.pad_token_id == loaded.tokenizer.eos_token_id


def test_full_training_loads_fp32() -> None:
    assert models.weights_precision(RunSpec(train=["de-en"], training={"method": "full"})) == "fp32"
    assert models.weights_precision(RunSpec(train=["de-en"], training={"method": "lora"})) == "auto"


def test_precision_is_told_without_a_clock() -> None:
    assert models.fast_bf16("cpu") is models.fast_bf16("cpu")
    assert models.resolve_precision("fp32", "cpu") == "fp32"
    assert models.resolve_precision("bf16", "cpu") == "bf16"
    expected = "bf16" if models.fast_bf16("cpu") else "fp32"
    assert models.resolve_precision("auto", "cpu") == expected


def test_threads_are_set_for_what_follows(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    try:
        assert models.set_threads(home) == 1
        assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_a_run_that_saved_nothing(tmp_path: Path, home: Settings) -> None:
    with pytest.raises(InputError, match="has saved no model"):
        models.load_run(tmp_path, RunSpec(train=["de-en"]), home)


class _Hub(http.server.BaseHTTPRequestHandler):
    """A stand-in for the hub: it answers as the real one does for what it will not give."""

    answers = {
        "gated": (403, {"X-Error-Code": "GatedRepo"}),
        "missing": (404, {"X-Error-Code": "RepoNotFound"}),
        "revision": (404, {"X-Error-Code": "RevisionNotFound"}),
        "noconfig": (404, {"X-Error-Code": "EntryNotFound"}),
    }

    def do_GET(self) -> None:  # noqa: N802
        kind = self.path.removeprefix("/api/models").strip("/").split("/")[1]
        if kind.startswith(("gated", "noconfig")) and self.path.startswith("/api/"):
            # Anyone may read what such a model is; its files alone are withheld.
            self.send_response(200)
            body = json.dumps({"id": f"x/{kind}", "siblings": []}).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        status, headers = self.answers[kind.split("?")[0]]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def ask_hub(endpoint: str, name: str, tmp_path: Path, **environment: str) -> str:
    code = (
        "import sys; from mtlab import models; from mtlab.errors import MtlabError;"
        "from mtlab.settings import Settings; from mtlab.presets import resolve_base\n"
        "s = Settings.from_environment()\n"
        "try: models.inspect(resolve_base(sys.argv[1], s), s)\n"
        "except MtlabError as error: print(type(error).__name__, error)"
    )
    env = {
        **os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0",
        "NO_PROXY": "127.0.0.1", **environment,
    }  # fmt: skip
    answer = subprocess.run(
        [sys.executable, "-c", code, name], capture_output=True, text=True, env=env, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("x/gated", "NotAvailable 'x/gated' is gated (its owner wants its terms accepted first): "
                    "accept them at https://huggingface.co/x/gated, then set HF_TOKEN."),
        ("x/missing", "InputError base: there is no model 'x/missing' on the hub (or it is "
                      "private): check its spelling, or set HF_TOKEN."),
        ("x/revision", "InputError revision: 'x/revision' has no such revision: check it on the "
                       "hub."),
        ("x/noconfig", "InputError base: 'x/noconfig' is no model that transformers can load (it "
                       "has no config.json): choose another."),
    ],
)  # fmt: skip
def test_what_the_hub_refuses_is_one_sentence(
    hub: str, name: str, sentence: str, tmp_path: Path
) -> None:
    assert ask_hub(hub, name, tmp_path) == sentence


def test_a_hub_that_cannot_be_reached(tmp_path: Path) -> None:
    said = ask_hub("http://127.0.0.1:9", "x/any", tmp_path)
    assert said.startswith("NotAvailable the model hub cannot be reached for 'x/any' (no answer")


def test_offline_says_so(tmp_path: Path) -> None:
    said = ask_hub("http://127.0.0.1:9", "x/any", tmp_path, HF_HUB_OFFLINE="1")
    assert "not on this machine" in said and "unset HF_HUB_OFFLINE" in said
