"""What happens between reading and writing: somebody else's change, a lost answer, a repeated call."""

import json
from collections.abc import Callable, Sequence

import jsonpatch
import pytest

from domain.alert import Target
from domain.errors import ToolTimeout
from domain.tools import ToolCall
from mcp_servers.kube.api_errors import Conflict
from mcp_servers.kube.applying import MAX_TRIES, Change, Op, Plan, apply
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.connection import Access
from mcp_servers.kube.doc import Doc

WEB = Target(kind="Deployment", namespace="shop", name="web")


class OneObject(ClusterApi):
    """An API with one deployment; `before_patch` happens just before each write, `lost` answers get lost."""

    def __init__(self, before_patch: Callable[[], None] = lambda: None, lost: int = 0) -> None:
        super().__init__(Access())
        self.metadata: dict[str, object] = {"name": "web", "namespace": "shop", "resourceVersion": "1"}
        self.spec: object = {"replicas": 2}
        self.writes_count = 0
        self.before_patch = before_patch
        self.lost = lost

    @property
    def raw(self) -> dict[str, object]:
        """The object as it is now."""
        return {"kind": "Deployment", "metadata": self.metadata, "spec": self.spec}

    def touch(self) -> None:
        """What a controller does: a new version of the same object."""
        self.metadata = {**self.metadata, "resourceVersion": f"{Doc(self.raw).version}+"}

    async def get(self, kind: str, namespace: str, name: str) -> Doc:
        return Doc(self.raw)

    async def patch(self, kind: str, namespace: str, name: str, ops: Sequence[Op], *, dry_run: bool) -> Doc:
        self.before_patch()
        guard = next(op for op in ops if op["path"] == "/metadata/resourceVersion")
        if guard["value"] != Doc(self.raw).version:
            raise Conflict("the object has been modified")
        changed = jsonpatch.apply_patch(self.raw, list(ops))
        self.metadata, self.spec = changed["metadata"], changed["spec"]
        self.touch()
        self.writes_count += 1
        if self.lost:
            self.lost -= 1
            raise ToolTimeout("no answer to the change")
        return Doc(self.raw)


def to(replicas: int) -> Plan:
    """A plan that sets the replicas."""

    async def plan(found: Doc) -> Change:
        before = found.number("spec", "replicas")
        return Change(
            ops=({"op": "replace", "path": "/spec/replicas", "value": replicas},),
            before={"replicas": str(before)},
            after={"replicas": str(replicas)},
            undo=ToolCall(tool="scale_workload", arguments={"replicas": before}),
        )

    return plan


async def test_an_object_that_changed_in_between_is_read_again() -> None:
    busy = iter([True, True, False])

    def somebody_writes() -> None:
        if next(busy):
            api.touch()

    api = OneObject(before_patch=somebody_writes)
    done = await apply(api, WEB, to(3), key="k", dry_run=False)
    assert done.changed and api.writes_count == 1
    assert Doc(api.raw).annotations["alert-agent/change-key"] == "k"


async def test_an_object_that_never_rests_is_given_up() -> None:
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    api = OneObject(before_patch=lambda: api.touch())
    with pytest.raises(Conflict, match=f"changed {MAX_TRIES} times"):
        await apply(api, WEB, to(3), key="k", dry_run=False, sleep=note)
    assert api.writes_count == 0
    assert len(pauses) == MAX_TRIES and 1.0 < sum(pauses) < 4.0


async def test_a_change_whose_answer_was_lost_is_found_and_not_repeated() -> None:
    api = OneObject(lost=1)
    done = await apply(api, WEB, to(3), key="k", dry_run=False)
    assert (done.changed, done.repeated, api.writes_count) == (True, False, 1)
    assert done.before == {"replicas": "2"} and done.undo_arguments == {"replicas": 2}


async def test_a_repeated_call_finds_the_way_back_on_the_object() -> None:
    api = OneObject()
    await apply(api, WEB, to(3), key="k", dry_run=False)
    again = await apply(api, WEB, to(3), key="k", dry_run=False)
    assert (again.changed, again.repeated, api.writes_count) == (False, True, 1)
    assert (again.undo_tool, again.undo_arguments) == ("scale_workload", {"replicas": 2})


async def test_a_key_is_known_even_after_other_changes() -> None:
    api = OneObject()
    for replicas in (3, 4, 5):
        await apply(api, WEB, to(replicas), key=f"k{replicas}", dry_run=False)
    again = await apply(api, WEB, to(3), key="k3", dry_run=False)
    assert again.repeated and again.undo_arguments == {"replicas": 2}
    for replicas in range(6, 12):
        await apply(api, WEB, to(replicas), key=f"k{replicas}", dry_run=False)
    assert len(json.loads(Doc(api.raw).annotations["alert-agent/recent-changes"])) == 5


async def test_an_annotation_that_people_broke_holds_up_nothing() -> None:
    api = OneObject()
    api.metadata["annotations"] = {"alert-agent/recent-changes": "{broken", "other": "kept"}
    assert (await apply(api, WEB, to(3), key="k", dry_run=False)).changed
    assert (await apply(api, WEB, to(4), key="k", dry_run=False)).repeated
    assert Doc(api.raw).annotations["other"] == "kept"


async def test_a_managed_object_comes_with_a_warning() -> None:
    api = OneObject()
    api.metadata["labels"] = {"app.kubernetes.io/managed-by": "Helm"}
    done = await apply(api, WEB, to(3), key="k", dry_run=False)
    assert done.warnings == (
        "Helm manages this object: its next upgrade will revert it; change its source too.",
    )
