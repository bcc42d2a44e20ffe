"""The lab over HTTP, called as `docs/api.md` says, and as MCP tools."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.browser import served_lab

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENDPOINTS = {"launch", "status", "results", "translate", "score"}


def shown(language, address, text=PAGE):
    blocks = re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    (block,) = [one for one in blocks if "http://127.0.0.1:7860" in one]
    return block.replace("http://127.0.0.1:7860", address)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MTLAB_MCP", "1")
        with served_lab(tmp_path_factory.mktemp("api") / "home") as where:
            yield where


@pytest.fixture(scope="module")
def client(address):
    return Client(address, verbose=False)


def test_the_python_of_the_page_runs(address, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", shown("python", address)],
        cwd=tmp_path, capture_output=True, text=True, timeout=550,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert re.search(r"is (queued|running)", done.stdout) and "is finished." in done.stdout
    assert any(re.match(r"BLEU \d+\.\d on 4 segments, nrefs:1\|", line) for line in lines)
    assert lines[-2].startswith("mine ") and lines[-1].startswith("yours ")


def test_the_python_of_the_readme_runs(address, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", shown("python", address, README)],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    standing, *hypothesis = done.stdout.splitlines()
    assert re.search(r"is (queued|running)", standing) and hypothesis


def test_the_shell_of_the_page_runs(address, tmp_path):
    done = subprocess.run(
        ["sh", "-c", shown("sh", address)],
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert "event: complete" in done.stdout, done.stdout + done.stderr
    (answer,) = json.loads(done.stdout.rpartition("data: ")[2])
    assert answer["system"] == "base:nano" and isinstance(answer["hypothesis"], str)


@pytest.mark.parametrize(
    ("endpoint", "arguments", "says"),
    [
        (
            "launch",
            {"spec": {"train": ["de-en"], "corpus": "/etc/passwd"}},
            "corpus: a file or folder of this machine cannot be named over the network: "
            "use everyday, wmt or hub:OWNER/NAME.",
        ),
        (
            "status",
            {"run": "<b>nothing</b>"},
            "run: there is no run '<b>nothing</b>': see 'mtlab runs list' for the ids.",
        ),
        (
            "translate",
            {"text": "Ja.", "direction": "de-de", "system": "nano"},
            "direction: 'de-de' translates a language into itself: "
            "give two different languages, like de-en.",
        ),
    ],
)
def test_what_is_wrong_arrives_as_a_sentence(client, endpoint, arguments, says):
    with pytest.raises(AppError) as caught:
        client.predict(**arguments, api_name=f"/{endpoint}")
    assert str(caught.value) == says


def test_five_endpoints_are_all_there_is(client):
    offered = client.view_api(return_format="dict", print_info=False)
    assert {name[1:] for name in offered["named_endpoints"]} == ENDPOINTS
    assert offered["unnamed_endpoints"] == {}


def test_the_same_five_are_mcp_tools(address):
    """Needs the package mcp, on both sides."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def ask():
        async with (
            streamable_http_client(f"{address}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            arguments = {"text": "Es regnet.", "direction": "de-en", "system": "nano"}
            return tools, await session.call_tool("translate", arguments)

    tools, answer = asyncio.run(ask())
    assert {tool.name for tool in tools} == ENDPOINTS
    (translate,) = [tool for tool in tools if tool.name == "translate"]
    assert translate.inputSchema["properties"]["direction"]["description"]
    assert not answer.isError and "hypothesis" in answer.content[0].text
