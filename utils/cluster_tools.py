"""The tools of one cluster, by their plain names, out of a toolbox that holds those of several.

Servers of a cluster other than the first are named `server@cluster`. Whoever holds this toolbox cannot reach
another cluster, whatever tool it names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.errors import ToolFailed, ToolUnavailable
from domain.tools import ToolAnswer, Toolbox, ToolCall, ToolSpec

SIGN = "@"


def server_of(name: str, cluster: str) -> str:
    """The name of a cluster's own server; that of the first cluster, named by "", stays plain."""
    return f"{name}{SIGN}{cluster}" if cluster else name


class ClusterToolbox:
    """What one cluster offers; `cluster` is empty for the first one, whose servers bear no mark."""

    def __init__(self, toolbox: Toolbox, cluster: str) -> None:
        self._toolbox = toolbox
        self._cluster = cluster

    def specs(self) -> Sequence[ToolSpec]:
        """The cluster's tools under their plain names."""
        return [replace(spec, name=name) for name, spec in self._offered().items()]

    async def call(self, call: ToolCall, *, budget_s: float) -> ToolAnswer:
        """Call one tool of this cluster.

        Raises what the toolbox raises, and ToolUnavailable when only another cluster has the tool now.
        """
        spec = self._offered().get(call.tool)
        if spec is not None:
            return await self._toolbox.call(replace(call, tool=spec.name), budget_s=budget_s)
        if self._cluster or self._is_of_another(call.tool):
            where = f"cluster {self._cluster}" if self._cluster else "the incident's cluster"
            raise ToolUnavailable(
                f"No connected server of {where} has a tool {call.tool!r}; try again later."
            )
        return await self._toolbox.call(call, budget_s=budget_s)  # it says what is missing, or near

    def _is_of_another(self, tool: str) -> bool:
        """Also by a plain name: another cluster's tools bear it while the first one was never connected."""
        return SIGN in tool or any(spec.name == tool for spec in self._toolbox.specs())

    def _offered(self) -> Mapping[str, ToolSpec]:
        return {
            spec.name.removeprefix(f"{spec.server}."): spec
            for spec in reversed(self._toolbox.specs())  # of two with one plain name the first stays
            if spec.server.partition(SIGN)[2] == self._cluster
        }


class NoTools:
    """The toolbox of a cluster that nobody has configured: nothing can be seen or changed there."""

    def specs(self) -> Sequence[ToolSpec]:
        """There are none."""
        return ()

    async def call(self, call: ToolCall, *, budget_s: float) -> ToolAnswer:
        """Raises ToolFailed with the next step."""
        raise ToolFailed("The cluster that the alert names is unknown; add it under clusters in config.yaml.")
