import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mcp import Client
from mcp_types import TextContent

from domain.errors import Permanent, ToolTimeout, Transient
from mcp_servers import kube_change, kube_read
from mcp_servers.kube.connection import Access
from mcp_servers.toolkit import Envelope, ToolDef, build_server, report_progress
from utils.tool_answers import TRANSIENT_MARK, UNKNOWN_MARK
from utils.tool_texts import MAX_TOKENS, tokens_count

HOME = Path(__file__).resolve().parents[2]
LOOKS = {
    "list_workloads",
    "describe_workload",
    "list_pods",
    "describe_pod",
    "get_pod_logs",
    "list_events",
    "list_nodes",
    "diff_revisions",
    "describe_node",
    "describe_service",
    "list_network_policies",
    "describe_volume_claim",
    "get_config",
    "get_quota",
    "get_resource",
    "get_usage",
}
CHANGES = {
    "restart_workload",
    "rollback_workload",
    "scale_workload",
    "set_image",
    "set_resources",
    "delete_pod",
    "cordon_node",
    "uncordon_node",
    "set_env",
    "set_config_key",
    "patch_resource",
    "create_resource",
    "delete_resource",
    "drain_node",
    "set_taints",
    "delete_job",
    "suspend_cronjob",
    "expand_volume_claim",
    "set_autoscaler_bounds",
    "restore_object",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """An answer with a default, which slots hide from a naive schema."""

    words: str
    warm: bool = True


@asynccontextmanager
async def nothing() -> AsyncIterator[None]:
    yield


def tell(weather: Weather) -> str:
    return f"The weather is {weather.words}."


async def test_a_value_is_answered_as_text_and_as_declared_structure() -> None:
    async def look(place: str) -> Weather:
        """The weather of a place."""
        return Weather(words=f"fine in {place}")

    server = build_server(
        "weather", instructions="", tools=[ToolDef(look, Weather, tell, read_only=True)], lifespan=nothing
    )
    async with Client(server) as client:
        (tool,) = (await client.list_tools()).tools
        assert tool.description == "The weather of a place."
        assert tool.output_schema is not None and tool.output_schema["required"] == ["words"]
        assert tool.annotations is not None and tool.annotations.read_only_hint
        result = await client.call_tool("look", {"place": "Oslo"})
        assert result.structured_content == {"words": "fine in Oslo", "warm": True}
        assert result.content == [TextContent(type="text", text="The weather is fine in Oslo.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast(Envelope):
    """Many days."""

    days: tuple[str, ...]


async def test_a_long_answer_is_cut_and_says_how_to_get_the_rest() -> None:
    async def look() -> Forecast:
        """The weather of many days."""
        return Forecast(days=tuple(f"day {number}: sun and wind" for number in range(3000)))

    def tell_days(forecast: Forecast) -> str:
        return "\n".join((f"days: {len(forecast.days)}", *forecast.days))

    tool = ToolDef(look, Forecast, tell_days, read_only=True, rest="ask for one day")
    server = build_server("weather", instructions="", tools=[tool], lifespan=nothing)
    async with Client(server) as client:
        result = await client.call_tool("look", {})
    assert isinstance(result.content[0], TextContent) and result.structured_content is not None
    text = result.content[0].text
    assert tokens_count(text) <= MAX_TOKENS + 20
    assert text.startswith("days: 3000\nday 0") and "lines left out" in text and "day 2999" in text
    assert text.endswith("To get the rest: ask for one day.")
    assert result.structured_content["summary"] == "days: 3000"
    assert result.structured_content["rest"] == "To get the rest: ask for one day."


async def test_a_tool_tells_its_progress_to_whoever_asks() -> None:
    async def walk() -> Weather:
        """Walk there."""
        await report_progress(1, 2)
        return Weather(words="fine")

    seen: list[tuple[float, float | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total))

    tool = ToolDef(walk, Weather, tell, read_only=True)
    async with Client(build_server("weather", instructions="", tools=[tool], lifespan=nothing)) as client:
        await client.call_tool("walk", {}, progress_callback=note)
        await client.call_tool("walk", {})
    assert seen == [(1, 2)]


async def test_errors_carry_their_mark() -> None:
    async def fail(how: str) -> Weather:
        raise {"busy": Transient, "lost": ToolTimeout, "wrong": Permanent}[how](how)

    server = build_server(
        "weather", instructions="", tools=[ToolDef(fail, Weather, tell, read_only=True)], lifespan=nothing
    )
    async with Client(server) as client:
        for how, said in (
            ("busy", f"{TRANSIENT_MARK} busy"),
            ("lost", f"{UNKNOWN_MARK} lost"),
            ("wrong", "wrong"),
        ):
            result = await client.call_tool("fail", {"how": how})
            assert result.is_error and isinstance(result.content[0], TextContent)
            assert result.content[0].text == f"Error executing tool fail: {said}"


async def test_the_servers_declare_what_they_offer() -> None:
    for server, names, read_only in (
        (kube_read.build(Access()), LOOKS, True),
        (kube_change.build(Access()), CHANGES, False),
    ):
        async with Client(server) as client:
            tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == names
        for tool in tools:
            assert tool.annotations is not None and tool.annotations.read_only_hint is read_only
            assert tool.description and tool.output_schema
            properties = tool.input_schema["properties"]
            assert all("description" in schema for schema in properties.values()), tool.name
            assert read_only or {"key", "dry_run"} <= properties.keys()


def test_building_a_server_leaves_the_root_logger_alone() -> None:
    before = list(logging.getLogger().handlers)
    kube_read.build(Access())
    assert logging.getLogger().handlers == before


def test_building_a_server_does_not_load_the_kubernetes_client() -> None:
    code = (
        "import sys\n"
        "from mcp_servers import kube_read, kube_change\n"
        "from mcp_servers.kube.connection import Access\n"
        "kube_read.build(Access()); kube_change.build(Access()); sys.exit('kubernetes' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=HOME, check=False).returncode == 0
