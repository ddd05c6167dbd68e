"""What every tool server shares: tools from plain functions, errors as instructions, a silent start.

It knows nothing of Kubernetes or any other world behind the tools.
"""

import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import TypeAdapter

from domain.errors import LoopError
from utils.tool_answers import marked
from utils.tool_texts import cut_text

CONTEXT_ARGUMENT = "_context"  # how the library hands in the request; no tool sees it
_CONTEXT: ContextVar[Context | None] = ContextVar("context", default=None)


async def report_progress(done_count: int, total_count: int) -> None:
    """Tell the caller of the running tool how far it is; nothing where nobody asked."""
    context = _CONTEXT.get()
    if context is not None:
        await context.report_progress(done_count, total_count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every answer carries besides its content: one line on it, whether more was left out, and how to
    get that. The toolkit fills in `summary` and `rest`."""

    summary: str = ""
    truncated: bool = False
    rest: str = ""


@dataclass(frozen=True, slots=True)
class ToolDef:
    """A tool before it is served: its function, the shape it answers with, and how that is told in text.

    `rights` are what its account needs in the world behind, as `verb resource`; `rest` says how to get what
    a long answer leaves out.
    """

    fn: Callable[..., Awaitable[object]]
    shape: type[Any]
    tell: Callable[[Any], str]
    read_only: bool
    rights: tuple[str, ...] = ()
    rest: str = "narrow the question"
    destructive: bool = False

    @property
    def name(self) -> str:
        """The name it is served by."""
        return str(self.fn.__name__)


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
        destructive_hint=definition.destructive,
        idempotent_hint=True,
        open_world_hint=False,
    )
    tool = Tool.from_function(_told(definition), annotations=annotations, structured_output=False)
    arguments = tool.fn_metadata.arg_model
    tool.context_kwarg = CONTEXT_ARGUMENT
    tool.fn_metadata = FuncMetadata(arg_model=arguments, output_model=definition.shape)
    return tool


def _told(definition: ToolDef) -> Callable[..., Awaitable[CallToolResult]]:
    """The function as the server calls it: its value becomes text and structured content."""
    adapter = TypeAdapter[Any](definition.shape)

    @functools.wraps(definition.fn)
    async def answer(**arguments: object) -> CallToolResult:
        context = arguments.pop(CONTEXT_ARGUMENT, None)
        _CONTEXT.set(context if isinstance(context, Context) else None)
        try:
            value = await definition.fn(**arguments)
        except LoopError as error:
            raise ToolError(marked(error)) from error
        text, value = _enveloped(definition, value)
        content = TextContent(type="text", text=text)
        return CallToolResult(content=[content], structured_content=adapter.dump_python(value, mode="json"))

    return answer


def _enveloped(definition: ToolDef, value: object) -> tuple[str, object]:
    """The text within its bounds, and the value with the envelope filled in."""
    text, left_out_count = cut_text(definition.tell(value))
    more = isinstance(value, Envelope) and value.truncated
    rest = f"To get the rest: {definition.rest}." if left_out_count or more else ""
    if isinstance(value, Envelope):
        value = replace(value, summary=text.partition("\n")[0], rest=rest)
    return "\n".join(part for part in (text, rest) if part), value


@contextmanager
def _root_logger_untouched() -> Iterator[None]:
    """The library calls logging.basicConfig, which does nothing while the root logger has a handler."""
    root, guard = logging.getLogger(), logging.NullHandler()
    root.addHandler(guard)
    try:
        yield
    finally:
        root.removeHandler(guard)
