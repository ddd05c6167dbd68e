from collections.abc import Sequence

import pytest

from domain.errors import ToolFailed, ToolUnavailable
from domain.tools import ToolAnswer, ToolCall, ToolSpec
from utils.cluster_tools import ClusterToolbox, NoTools, server_of


def spec(name: str, server: str) -> ToolSpec:
    return ToolSpec(name=name, server=server, description="", read_only=True)


class Several:
    """A toolbox with two clusters, and a server of somebody else."""

    def __init__(self, *, lost: str = "") -> None:
        self._lost = lost

    def specs(self) -> Sequence[ToolSpec]:
        known = (
            spec("list_pods", "kube-read"),
            spec("kube-read@west.list_pods", "kube-read@west"),
            spec("show_board", "boards"),
            spec("boards.list_pods", "boards"),
        )
        return [one for one in known if one.server != self._lost]

    async def call(self, call: ToolCall, *, budget_s: float) -> ToolAnswer:
        return ToolAnswer(text=call.tool)


async def called(cluster: str, tool: str, *, lost: str = "") -> str:
    answer = await ClusterToolbox(Several(lost=lost), cluster).call(ToolCall(tool=tool), budget_s=1.0)
    return answer.text


async def test_a_plain_name_reaches_the_tool_of_the_own_cluster() -> None:
    assert await called("", "list_pods") == "list_pods"
    assert await called("west", "list_pods") == "kube-read@west.list_pods"


def test_only_the_tools_of_the_own_cluster_are_offered_under_plain_names() -> None:
    assert {one.name for one in ClusterToolbox(Several(), "").specs()} == {"list_pods", "show_board"}
    assert {one.name for one in ClusterToolbox(Several(), "west").specs()} == {"list_pods"}


async def test_another_clusters_tool_cannot_be_reached_by_its_full_name() -> None:
    with pytest.raises(ToolUnavailable, match="the incident's cluster"):
        await called("", "kube-read@west.list_pods")
    with pytest.raises(ToolUnavailable, match="cluster west"):
        await called("west", "show_board")


async def test_a_lost_server_is_never_replaced_by_that_of_another_cluster() -> None:
    with pytest.raises(ToolUnavailable, match="cluster west"):
        await called("west", "list_pods", lost="kube-read@west")


async def test_a_plain_name_that_another_cluster_bears_for_now_is_not_called() -> None:
    class OnlyWest(Several):
        def specs(self) -> Sequence[ToolSpec]:
            return [spec("list_pods", "kube-read@west")]

    with pytest.raises(ToolUnavailable, match="the incident's cluster"):
        await ClusterToolbox(OnlyWest(), "").call(ToolCall(tool="list_pods"), budget_s=1.0)


async def test_an_unknown_name_is_answered_by_the_toolbox_behind() -> None:
    assert await called("", "list_podz") == "list_podz"


async def test_an_unknown_cluster_offers_nothing_and_says_what_to_do() -> None:
    assert NoTools().specs() == ()
    with pytest.raises(ToolFailed, match=r"clusters in config\.yaml"):
        await NoTools().call(ToolCall(tool="list_pods"), budget_s=1.0)


def test_servers_of_the_first_cluster_keep_their_names() -> None:
    assert (server_of("prom", ""), server_of("prom", "west")) == ("prom", "prom@west")
