"""Writes the question about one incident: what is known, in a bounded space, most telling first."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from pydantic import TypeAdapter

from analyze.llm_arguments import choices, offered, required, type_names
from analyze.llm_checks import MAX_LOOKS_COUNT
from analyze.prompt_template import FOLDER, PromptTemplate, cut
from domain.cluster import EventSummary, Fact, LogTail, NodeState, PodState, ToolText, WorkloadState
from domain.evidence import Evidence
from domain.incident import Incident
from domain.tools import ToolSpec
from utils.call_llm import Message

MAX_EVIDENCE_LENGTH = 24_000  # characters, about 6,000 tokens: models attend badly to much more
MIN_EVIDENCE_LENGTH = 2_000
MAX_ITEM_LENGTH = 3_000  # so that one long log leaves room for the rest
MAX_TOOL_LENGTH = 220  # of a description; the first sentences say what a tool is for
LOG_LINES_COUNT = 40

_FACT: TypeAdapter[Fact] = TypeAdapter(Fact)
_BOOKKEEPING = {"uid", "resource_version", "template_hash", "change_key", "fact", "target"}


@cache
def template(name: str) -> PromptTemplate:
    """One of the prompts in `analyze/prompts/`, read once. Raises BadInput when it is malformed."""
    return PromptTemplate.load(FOLDER / f"{name}.md")


def question(
    incident: Incident, tools: Sequence[ToolSpec], *, causes: Collection[str], evidence_length: int
) -> list[Message]:
    """The system text and the question of which step comes next."""
    lines, left_out_count = evidence_lines(incident, length=evidence_length)
    text = template("decide").render(
        incident=incident,
        evidence=lines,
        left_out_count=left_out_count,
        reading=[tool_line(spec) for spec in tools if spec.read_only],
        changing=[tool_line(spec) for spec in tools if not spec.read_only],
        causes=sorted(causes),
        max_looks_count=MAX_LOOKS_COUNT,
    )
    return [Message(role="system", text=template("decide").system), Message(role="user", text=text)]


def objection(problems: Iterable[str]) -> Message:
    """What is wrong with an answer, as the next turn of the conversation."""
    return Message(role="user", text=template("repair").render(problems=list(problems)))


def evidence_lines(incident: Incident, *, length: int) -> tuple[list[str], int]:
    """Current evidence in at most `length` characters, most telling first, and how many are left out."""
    lines: list[str] = []
    room = length
    ranked = _ranked(incident)
    for line in map(evidence_line, ranked):
        if len(line) <= room:
            lines.append(line)
            room -= len(line)
    return lines, len(ranked) - len(lines)


def evidence_line(item: Evidence) -> str:
    """One item with its id, time, source, sentence and, where it carries more, the details below."""
    seen = item.seen
    head = f"[{item.id}] {seen.observed_at:%H:%M:%S} {seen.source}: {cut(seen.text, 600)}"
    detail = _detail(item.fact)
    return f"{head}\n{cut(detail, MAX_ITEM_LENGTH)}" if detail else head


def tool_line(spec: ToolSpec) -> str:
    """A tool's name, arguments with their types, and what it is for."""
    needed = required(spec)
    arguments = ", ".join(_argument(name, schema, name in needed) for name, schema in offered(spec).items())
    return f"{spec.name}({arguments}): {cut(' '.join(spec.description.split()), MAX_TOOL_LENGTH)}"


def _argument(name: str, schema: Mapping[str, object], needed: bool) -> str:
    allowed = choices(schema)
    kind = "|".join(map(str, allowed)) if allowed else "|".join(type_names(schema))
    return f"{name}{'*' if needed else ''}: {kind}"


def _ranked(incident: Incident) -> list[Evidence]:
    """Cited by a hypothesis first, then about the target, then what is unwell, then near; newest first."""
    target = incident.target
    cited = {cited_id for hypothesis in incident.hypotheses for cited_id in hypothesis.evidence_for}

    def rank(item: Evidence) -> tuple[bool, bool, bool, bool]:
        about = item.seen.about
        far = about.namespace != target.namespace
        return (item.id not in cited, about != target, _is_well(item.fact), far)

    newest_first = reversed(incident.current_evidence())
    return sorted(newest_first, key=rank)  # stable, so equal ranks stay newest first


def _is_well(fact: Fact) -> bool:
    """Whether the fact only says that something works as it should."""
    match fact:
        case PodState():
            return fact.ready and not any(container.restart_count for container in fact.containers)
        case NodeState():
            return fact.ready and not (fact.cordoned or fact.pressures or fact.taints)
        case EventSummary():
            return fact.type == "Normal"
        case _:
            return False


def _detail(fact: Fact) -> str:
    """What the sentence leaves out: log lines, whole answers, a workload's history, what ails a pod."""
    match fact:
        case PodState() if _is_well(fact):
            return ""
        case LogTail():
            return "\n".join(f"  | {line}" for line in fact.lines[-LOG_LINES_COUNT:])
        case ToolText():
            return "\n".join(f"  | {line}" for line in fact.text.splitlines())
        case WorkloadState() | PodState():
            told = _FACT.dump_json(fact, exclude_defaults=True, exclude=_BOOKKEEPING)
            return f"  {told.decode()}"
        case _:
            return ""
