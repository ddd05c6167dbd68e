"""What every tool server shares: tools from plain functions, errors as instructions, a silent start.

It knows nothing of Kubernetes or any other world behind the tools.
"""

import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import TypeAdapter

from domain.errors import LoopError
from utils.tool_answers import marked


@dataclass(frozen=True, slots=True)
class ToolDef:
    """A tool before it is served: its function, the shape it answers with, and how that is told in text."""

    fn: Callable[..., Awaitable[object]]
    shape: type[Any]
    tell: Callable[[Any], str]
    read_only: bool


def build_server(
    name: str,
    *,
    instructions: str,
    tools: Sequence[ToolDef],
    lifespan: Callable[[], AbstractAsyncContextManager[None]],
) -> MCPServer[None]:
    """An MCP server with these tools; `lifespan` spans every client's stay."""

    @asynccontextmanager
    async def stay(_: MCPServer[None]) -> AsyncIterator[None]:
        async with lifespan():
            yield

    with _root_logger_untouched():
        return MCPServer(
            name, instructions=instructions, tools=[_tool(definition) for definition in tools], lifespan=stay
        )


def _tool(definition: ToolDef) -> Tool:
    """Built in two steps, because the library derives no schema from dataclasses with slots."""
    annotations = ToolAnnotations(
        read_only_hint=definition.read_only,
        destructive_hint=False,
        idempotent_hint=True,
        open_world_hint=False,
    )
    tool = Tool.from_function(_told(definition), annotations=annotations, structured_output=False)
    arguments = tool.fn_metadata.arg_model
    tool.fn_metadata = FuncMetadata(arg_model=arguments, output_model=definition.shape)
    return tool


def _told(definition: ToolDef) -> Callable[..., Awaitable[CallToolResult]]:
    """The function as the server calls it: its value becomes text and structured content."""
    adapter = TypeAdapter[Any](definition.shape)

    @functools.wraps(definition.fn)
    async def answer(**arguments: object) -> CallToolResult:
        try:
            value = await definition.fn(**arguments)
        except LoopError as error:
            raise ToolError(marked(error)) from error
        text = TextContent(type="text", text=definition.tell(value))
        return CallToolResult(content=[text], structured_content=adapter.dump_python(value, mode="json"))

    return answer


@contextmanager
def _root_logger_untouched() -> Iterator[None]:
    """The library calls logging.basicConfig, which does nothing while the root logger has a handler."""
    root, guard = logging.getLogger(), logging.NullHandler()
    root.addHandler(guard)
    try:
        yield
    finally:
        root.removeHandler(guard)
