"""A training shared by two processes: the same losses, and either goes on from the other's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from mtlab.models import Loaded, load
from mtlab.presets import Base
from mtlab.prompts import Example
from mtlab.settings import Settings
from mtlab.spec import Training
from mtlab.training import ALONE, ExampleOrder, Place, fine_tune
from mtlab.training.distributed import Share, Shared

TOGETHER = """
import json, os, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from tests.unit.test_distributed import trained
rank, tiny = int(sys.argv[1]), Path(sys.argv[2])
for folder, method, strategy, stop, batch in json.loads(sys.argv[3]):
    losses = trained(tiny, Path(folder), method, stop, batch, Place(rank, 2, strategy))
    if rank == 0:
        (Path(folder) / f"losses-{stop}.json").write_text(json.dumps(losses))
os._exit(0)
""".replace("import torch\n", "import torch\nfrom mtlab.training import Place\n", 1)


def example(index: int) -> Example:
    ids = tuple(3 + (index * 7 + place * 11) % 250 for place in range(6 + index % 5))
    return Example((*ids, 2), (*[-100] * 4, *ids[4:], 2), f"test:{index}")


EXAMPLES = [example(index) for index in range(10)]


def trained(
    tiny: Path, folder: Path, method: str, stop: int, batch: int, place: Place = ALONE
) -> list[float]:
    """The losses of a training of six steps, ended after some of them where `stop` is not 0."""
    loaded: Loaded = load(
        Base("tiny", "tiny", path=tiny), precision="fp32", device="cpu",
        settings=Settings.from_environment(),
    )  # fmt: skip
    training = Training(
        method=method, learning_rate=1e-3, steps=6, batch_size=batch, accumulation=2,
        precision="fp32", gradient_checkpointing=False, max_length=64, checkpoint_steps=100,
        lora_rank=4,
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    log: list[float] = []

    def emit(kind: str, **data: Any) -> None:
        log.append(data["loss"])

    def should_stop() -> bool:
        return bool(stop) and len(log) + 1 >= stop

    fine_tune(loaded, EXAMPLES, training, 7, folder, emit, should_stop, None, place)
    return log


def weights(folder: Path) -> dict[str, torch.Tensor]:
    [file] = [*folder.glob("adapter/*.safetensors"), *folder.glob("model/*.safetensors")]
    return load_file(file)


def test_either_goes_on_from_the_other(tiny_model: Path, tmp_path: Path) -> None:
    kinds = [("lora", "ddp"), ("full", "fsdp"), ("lora", "fsdp")]
    expected: dict[str, list[float]] = {}
    for method in ("lora", "full"):
        expected[method] = trained(tiny_model, tmp_path / method, method, 0, 2)
    uneven = trained(tiny_model, tmp_path / "three", "lora", 0, 3)
    orders: list[tuple[str, str, str, int, int]] = []
    for method, strategy in kinds:
        one, two = tmp_path / f"one-{method}-{strategy}", tmp_path / f"two-{method}-{strategy}"
        assert trained(tiny_model, one, method, 3, 2) == expected[method][:3]
        orders += [(str(one), method, strategy, 0, 2), (str(two), method, strategy, 3, 2)]
    orders.append((str(tmp_path / "uneven"), "lora", "ddp", 0, 3))
    words = [sys.executable, "-c", TOGETHER]
    pair = [
        subprocess.Popen([*words, str(rank), str(tiny_model), json.dumps(orders)], stderr=2)
        for rank in range(2)
    ]
    assert [process.wait(200) for process in pair] == [0, 0]

    for method, strategy in kinds:
        one, two = tmp_path / f"one-{method}-{strategy}", tmp_path / f"two-{method}-{strategy}"
        rest = json.loads((one / "losses-0.json").read_text())
        assert rest == pytest.approx(expected[method][3:], abs=1e-4), (method, strategy)
        first = json.loads((two / "losses-3.json").read_text())
        assert first == pytest.approx(expected[method][:3], abs=1e-4), (method, strategy)
        again = trained(tiny_model, two, method, 0, 2)
        assert again == pytest.approx(expected[method][3:], abs=1e-4), (method, strategy)
        whole = weights(tmp_path / method)
        for folder in (one, two):
            found = weights(folder)
            assert found.keys() == whole.keys()
            for name, value in whole.items():
                torch.testing.assert_close(found[name], value, rtol=0, atol=1e-4)
    found = json.loads((tmp_path / "uneven" / "losses-0.json").read_text())
    assert found == pytest.approx(uneven, abs=1e-4)


@pytest.mark.parametrize(("world", "batch", "pairs"), [(2, 2, 4), (3, 2, 4), (3, 5, 5), (2, 1, 5)])
def test_a_step_is_dealt_out_whole(world: int, batch: int, pairs: int) -> None:
    order = ExampleOrder([5] * 10, batch_size=pairs, steps=4, seed=3)
    passes = Place(0, world).passes(pairs, batch)
    shares = [list(Share(order, 4, Place(rank, world), passes)) for rank in range(world)]
    assert {len(share) for share in shares} == {4 * passes}
    assert all(1 <= len(rows) <= batch for share in shares for rows in share)
    for step in range(4):
        rows = [
            index
            for share in shares
            for rows in share[step * passes : (step + 1) * passes]
            for index in rows
        ]
        assert sorted(index for index in rows if index >= 0) == sorted(order.step(step + 1))
        muted = [Shared(EXAMPLES)[index] for index in rows if index < 0]
        assert len(muted) == -pairs % world
        assert all(one.target_tokens == 0 for one in muted)
