"""What `auto` means is told without torch, and as torch will have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mtlab.models import formats
from mtlab.models.device import fast_bf16
from mtlab.models.room import MAIN_MEMORY, available_memory

Driver = Callable[[str], None]


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """A GPU's driver that answers so."""

    def answering(text: str) -> None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\n{text}\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        formats.gpu_has_bf16.cache_clear()

    yield answering
    formats.gpu_has_bf16.cache_clear()


def test_a_processor_is_told_as_torch_tells_it() -> None:
    assert formats.processor_has_bf16() == fast_bf16("cpu")


@pytest.mark.parametrize(
    ("said", "has_it"),
    [
        ("echo 7.5", False),
        ("echo 8.0", True),
        ("echo 9.0; echo 7.5", True),
        ("echo no such field; exit 2", True),
        ("echo", True),
    ],
)
def test_a_gpu_is_told_by_its_driver(driver: Driver, said: str, has_it: bool) -> None:
    driver(said)
    assert formats.gpu_has_bf16() is has_it
    assert formats.is_wide("auto", "GPU") is not has_it


@pytest.mark.parametrize("where", [MAIN_MEMORY, "GPU"])
def test_what_is_asked_for_is_done(driver: Driver, where: str) -> None:
    driver("echo 7.5")
    assert formats.is_wide("fp32", where) and not formats.is_wide("bf16", where)


@pytest.mark.parametrize(("said", "free"), [("echo 1024", 2**30), ("echo '[N/A]'", None)])
def test_its_free_memory_is_told_by_its_driver_too(
    driver: Driver, said: str, free: int | None
) -> None:
    driver(said)
    found, where = available_memory()
    assert where == ("GPU" if free else MAIN_MEMORY)
    assert found == free or not free
