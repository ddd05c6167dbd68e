"""Arguments that an LLM writes as text become what the tool's schema asks for."""

import pytest

from analyze.llm_arguments import offered, required, typed
from analyze.llm_schema import SaidArgument
from domain.tools import ToolSpec

SCHEMAS: dict[str, dict[str, object]] = {
    "count": {"type": "integer"},
    "ratio": {"type": "number"},
    "force": {"type": "boolean"},
    "text": {"type": "string"},
    "mode": {"type": "string", "enum": ["soft", "hard"]},
    "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    "either": {"type": ["integer", "string"]},
    "names": {"type": "array", "items": {"type": "string"}},
    "labels": {"type": "object"},
    "nested": {"anyOf": [{"$ref": "#/$defs/Nested"}, {"type": "null"}]},
    "loose": {},
}


def a_tool(*, read_only: bool = True, needed: tuple[str, ...] = ()) -> ToolSpec:
    schema = {
        "type": "object",
        "properties": SCHEMAS | {"name": {"type": "string"}},
        "required": list(needed),
    }
    return ToolSpec(name="tool", server="s", description="", read_only=read_only, input_schema=schema)


def convert(name: str, value: str) -> tuple[dict[str, object], list[str]]:
    problems: list[str] = []
    found = typed([SaidArgument(name=name, value=value)], a_tool(), problems=problems)
    return found, problems


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("count", "3", 3),
        ("ratio", "0.5", 0.5),
        ("force", "True", True),
        ("force", "false", False),
        ("text", "3", "3"),
        ("text", "", ""),
        ("mode", "hard", "hard"),
        ("limit", "7", 7),
        ("either", "8", 8),
        ("either", "eight", "eight"),
        ("names", '["a", "b"]', ["a", "b"]),
        ("labels", '{"app": "web"}', {"app": "web"}),
        ("nested", '{"x": 1}', {"x": 1}),
        ("loose", "anything", "anything"),
    ],
)
def test_a_value_takes_the_type_of_its_argument(name: str, value: str, expected: object) -> None:
    assert convert(name, value) == ({name: expected}, [])


@pytest.mark.parametrize("value", ["", "null", "None"])
def test_nothing_for_an_optional_argument_leaves_it_out(value: str) -> None:
    assert convert("limit", value) == ({}, [])


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("count", "three", "tool: count = 'three' is not of type integer"),
        ("count", "1.5", "tool: count = '1.5' is not of type integer"),
        ("force", "yes", "tool: force = 'yes' is not of type boolean"),
        ("mode", "fast", "tool: mode = 'fast' is none of soft, hard"),
        ("names", "a, b", "tool: names = 'a, b' is not of type array"),
        ("names", '{"a": 1}', """tool: names = '{"a": 1}' is not of type array"""),
    ],
)
def test_a_value_that_does_not_fit_is_named(name: str, value: str, problem: str) -> None:
    assert convert(name, value) == ({}, [problem])


@pytest.mark.parametrize(("name", "value"), [("names", "[" * 20_000), ("ratio", "nan"), ("ratio", "inf")])
def test_what_json_cannot_hold_does_not_fit_either(name: str, value: str) -> None:
    found, problems = convert(name, value)
    assert not found
    assert "is not of type" in problems[0]


def test_unknown_double_and_missing_arguments_are_named() -> None:
    problems: list[str] = []
    given = [SaidArgument(name=name, value="1") for name in ("count", "count", "colour")]
    typed(given, a_tool(needed=("count", "text")), problems=problems)
    assert [problem.split(";")[0] for problem in problems] == [
        "tool: argument 'count' is given twice",
        "tool takes no argument 'colour'",
        "tool needs the argument 'text'",
    ]


def test_only_a_changing_tool_hides_what_execute_fills_in() -> None:
    assert "name" in offered(a_tool())
    changing = a_tool(read_only=False, needed=("name", "count"))
    assert "name" not in offered(changing)
    assert required(changing) == {"count"}
