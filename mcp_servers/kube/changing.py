"""How changing tools are declared: all answer with a `ChangeResult`."""

from collections.abc import Awaitable, Callable

from domain.cluster import ChangeResult
from mcp_servers.kube.telling import tell_change
from mcp_servers.toolkit import ToolDef


def change_tool(
    fn: Callable[..., Awaitable[ChangeResult]], *, rights: tuple[str, ...], destructive: bool = False
) -> ToolDef:
    """The tool; `destructive` when something goes that the way back cannot bring back as it was."""
    return ToolDef(fn, ChangeResult, tell_change, read_only=False, rights=rights, destructive=destructive)
