import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

from domain.errors import ToolFailed, ToolTimeout, ToolUnavailable, Transient
from domain.tools import ToolCall
from tests.fakes import FakeClock
from utils.mcp_client import McpToolbox
from utils.servers_config import ServersConfig
from utils.tool_answers import TRANSIENT_MARK
from utils.tool_server import Pace

QUICK = Pace(first_s=0.02, most_s=0.05)
READ_ONLY = ToolAnnotations(read_only_hint=True)


def server(*functions: Callable[..., Awaitable[str]]) -> Callable[[], MCPServer[None]]:
    """A maker of a server with these tools; a name that starts with `get` is read-only."""

    def build() -> MCPServer[None]:
        made: MCPServer[None] = MCPServer("test")
        for function in functions:
            hint = READ_ONLY if function.__name__.startswith("get") else None
            made.add_tool(function, annotations=hint)
        return made

    return build


@asynccontextmanager
async def toolbox(
    entries: dict[str, dict[str, object]],
    builtin: dict[str, Callable[[], MCPServer[None]]] | None = None,
    max_calls: int = 16,
) -> AsyncIterator[McpToolbox]:
    """A toolbox whose servers were all tried once."""
    config = ServersConfig.model_validate({"mcpServers": entries})
    box = McpToolbox(config, builtin=builtin or {}, clock=FakeClock(), max_calls=max_calls, pace=QUICK)
    async with box:
        await box.wait_ready(10.0)
        yield box


@asynccontextmanager
async def ours(*functions: Callable[..., Awaitable[str]], **entry: object) -> AsyncIterator[McpToolbox]:
    """A toolbox on one server in this process."""
    async with toolbox({"own": {"command": "python", **entry}}, {"own": server(*functions)}) as box:
        yield box


async def get_word(word: str = "yes") -> str:
    """Say a word."""
    return word


async def set_word(word: str) -> str:
    """Pretend to change a word."""
    return f"set {word}"


async def test_tools_are_described_and_called() -> None:
    async with ours(get_word, set_word) as box:
        found = {spec.name: spec for spec in box.specs()}
        assert found["get_word"].read_only and not found["set_word"].read_only
        assert found["set_word"].description == "Pretend to change a word."
        assert found["set_word"].input_schema["required"] == ["word"]
        answer = await box.call(ToolCall(tool="get_word", arguments={"word": "hello"}), budget_s=5.0)
        assert (answer.text, answer.server, answer.data) == ("hello", "own", {"result": "hello"})


async def test_tool_errors_tell_what_the_caller_may_do() -> None:
    async def get_busy() -> str:
        raise ToolError(f"{TRANSIENT_MARK} the world is busy")

    async def get_nothing() -> str:
        raise ToolError("there is no such thing")

    async def get_false() -> str:
        return '{"success": false, "error": "not done"}'

    async with ours(get_busy, get_nothing, get_false) as box:
        with pytest.raises(Transient, match=r"^the world is busy$"):
            await box.call(ToolCall(tool="get_busy"), budget_s=5.0)
        with pytest.raises(ToolFailed, match=r"^there is no such thing$"):
            await box.call(ToolCall(tool="get_nothing"), budget_s=5.0)
        with pytest.raises(ToolFailed, match="not done"):
            await box.call(ToolCall(tool="get_false"), budget_s=5.0)


async def test_wrong_arguments_are_named() -> None:
    async with ours(set_word) as box:
        with pytest.raises(ToolFailed, match=r"word\n *Field required") as caught:
            await box.call(ToolCall(tool="set_word"), budget_s=5.0)
        assert "http" not in str(caught.value)


async def test_a_call_that_takes_too_long_is_a_timeout_and_frees_its_place() -> None:
    async def get_never() -> str:
        await asyncio.Event().wait()
        return "never"

    async with toolbox({"own": {"command": "x"}}, {"own": server(get_never, get_word)}, max_calls=1) as box:
        slow = asyncio.create_task(box.call(ToolCall(tool="get_never"), budget_s=0.2))
        await asyncio.sleep(0)
        with pytest.raises(ToolUnavailable, match="too many calls"):
            await box.call(ToolCall(tool="get_word"), budget_s=0.05)
        with pytest.raises(ToolTimeout, match=r"did not answer within 0.2 s"):
            await slow
        assert (await box.call(ToolCall(tool="get_word"), budget_s=5.0)).text == "yes"


async def test_of_two_tools_with_one_name_the_first_server_keeps_it() -> None:
    async def get_other() -> str:
        return "other"

    get_other.__name__ = "get_word"
    entries: dict[str, dict[str, object]] = {"one": {"command": "x"}, "two": {"command": "x"}}
    async with toolbox(entries, {"one": server(get_word), "two": server(get_other)}) as box:
        assert [spec.name for spec in box.specs()] == ["get_word", "two.get_word"]
        for name, said in (("get_word", "yes"), ("one.get_word", "yes"), ("two.get_word", "other")):
            assert (await box.call(ToolCall(tool=name), budget_s=5.0)).text == said


async def test_an_entry_may_allow_few_tools_and_declare_them_harmless() -> None:
    async with ours(get_word, set_word, allow=["set_word"], read_only=["set_word"]) as box:
        (spec,) = box.specs()
        assert spec.name == "set_word" and spec.read_only
        with pytest.raises(ToolFailed, match=r"no tool 'get_word'. Near names: set_word"):
            await box.call(ToolCall(tool="get_word"), budget_s=5.0)


async def test_servers_that_cannot_be_reached_hold_up_nobody() -> None:
    entries: dict[str, dict[str, object]] = {
        "own": {"command": "x"},
        "missing": {"command": "no-such-command-anywhere"},
        "mute": {"command": "sleep", "args": ["60"], "timeout_s": 0.3},
        "dying": {"command": "false"},
        "refused": {"url": "http://127.0.0.1:9/mcp"},
    }
    async with toolbox(entries, {"own": server(get_word)}) as box:
        assert (await box.call(ToolCall(tool="get_word"), budget_s=5.0)).text == "yes"
        states = {state.name: state for state in box.state()}
        assert [name for name, state in states.items() if state.connected] == ["own"]
        assert states["missing"].last_error == "there is no command or folder 'no-such-command-anywhere'"
        assert states["mute"].last_error == "no answer while connecting"
        assert states["dying"].last_error and states["refused"].last_error
        with pytest.raises(ToolUnavailable, match=r"not connected: missing .*mute .*dying"):
            await box.call(ToolCall(tool="get_elsewhere"), budget_s=5.0)
    gc.collect()  # a leaked child or socket would warn here, and warnings are errors


DIES_WHEN_CALLED = """
import os
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
server = MCPServer("mortal")
def get_dead() -> str: os._exit(1)
def set_dead() -> str: os._exit(1)
server.add_tool(get_dead, annotations=ToolAnnotations(read_only_hint=True))
server.add_tool(set_dead)
server.run("stdio")
"""


async def test_a_server_that_dies_during_a_change_leaves_it_unknown() -> None:
    async with toolbox({"mortal": {"command": sys.executable, "args": ["-c", DIES_WHEN_CALLED]}}) as box:
        with pytest.raises(ToolTimeout, match="may have been applied"):
            await box.call(ToolCall(tool="set_dead"), budget_s=5.0)
        assert "broke off during get_dead" in await refusal_once_connected_again(box, "get_dead")


async def refusal_once_connected_again(box: McpToolbox, tool: str) -> str:
    """What a reading call on a lost server ends with, when it reaches the server at last."""
    async with asyncio.timeout(10.0):
        while True:
            try:
                await box.call(ToolCall(tool=tool), budget_s=5.0)
            except ToolUnavailable as error:
                if "is not connected" not in str(error):
                    return str(error)
            await asyncio.sleep(0.02)


async def test_a_long_answer_is_cut() -> None:
    async def get_much() -> str:
        return "x" * 100_000

    async with ours(get_much) as box:
        answer = await box.call(ToolCall(tool="get_much"), budget_s=5.0)
        assert len(answer.text) < 17_000 and "characters left out" in answer.text
