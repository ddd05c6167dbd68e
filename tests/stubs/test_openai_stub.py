"""The server that stands in for an LLM, as it is used by hand."""

import json
import sys
from asyncio import create_subprocess_exec, timeout
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.stubs.openai_stub import MODEL, NAMED, OpenAiStub, read_script, strict_faults

QUESTION = {"model": MODEL, "messages": [{"role": "user", "content": "?"}]}


async def test_a_script_file_mixes_names_and_answers_in_order(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    file.write_text(json.dumps(["busy", {"kind": "resolved"}]), encoding="utf-8")
    async with OpenAiStub(*read_script(str(file))) as stub, ClientSession() as session:
        url = f"{stub.url}/chat/completions"
        seen = []
        for _ in range(3):
            async with session.post(url, json=QUESTION) as response:
                seen.append((response.status, await response.json()))
    assert [status for status, _ in seen] == [429, 200, 200]  # the last step stays
    assert seen[1][1]["choices"][0]["message"]["content"] == '{"kind": "resolved"}'


def test_a_name_is_a_script_of_one_step() -> None:
    assert read_script("html") == [NAMED["html"]]


async def test_it_runs_from_the_command_line() -> None:
    command = [sys.executable, "-m", "tests.stubs.openai_stub", "--port", "0", "--script", "no_quota"]
    running = await create_subprocess_exec(*command, stdout=PIPE)
    try:
        async with timeout(20), ClientSession() as session:
            assert running.stdout is not None
            url = (await running.stdout.readline()).decode().split()[-1]
            async with session.get(f"{url}/models") as models:
                assert (await models.json())["data"][0]["id"] == MODEL
            async with session.post(f"{url}/chat/completions", json=QUESTION) as response:
                assert (await response.json())["error"]["code"] == "insufficient_quota"
    finally:
        running.terminate()
        await running.wait()


@pytest.mark.parametrize(
    ("schema", "faults_count"),
    [
        ({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}, 0),
        ({"type": "object", "properties": {"a": {}}, "required": [], "additionalProperties": False}, 1),
        ({"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}}, 1),
    ],
)
def test_strict_faults_are_found(schema: dict[str, object], faults_count: int) -> None:
    assert len(strict_faults(schema)) == faults_count
