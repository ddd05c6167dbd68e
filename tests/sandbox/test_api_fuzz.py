"""Whatever the schema allows, the server answers: with the object, or with a refusal; never with a crash."""

from random import Random
from typing import Any

import pytest

from sandbox.api.columns import table_of
from sandbox.api.managed import Owner, apply, record_update
from sandbox.api.schema import read_strictly, schema
from sandbox.bootstrap import new_store
from sandbox.clock import SimClock
from sandbox.errors import ApiError
from sandbox.fields import Obj, with_in
from sandbox.kinds import KINDS, Kind
from sandbox.store import Store

OBJECTS = 40  # of each kind and seed
DEEPEST = 10
WORDS = (
    "a",
    "b",
    "RollingUpdate",
    "Never",
    "50%",
    "ClusterIP",
    "NodePort",
    "In",
    "Exists",
    "http",
    "A B",
    "",
)
LIKELY = ("template", "spec", "containers", "name", "selector", "ports", "rules")
SCALARS: dict[str, tuple[Any, ...]] = {
    "s": WORDS, "i": (0, 1, 80, -1, 70000), "f": (0, 1.5), "b": (True, False), "t": ("2026-01-05T08:00:00Z",),
    "x": (0, 1, "50%", "http"), "q": ("1", "100m", "1Gi", "0", "-1"), "*": ({},),
}  # fmt: skip


class Monkey:
    """Objects by chance, of the right types."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)

    def object(self, type_: str, depth: int = 0) -> Obj:
        fields = schema()["types"][type_].items()
        return {name: self._value(code, depth) for name, code in fields if self._wanted(name, code, depth)}

    def _wanted(self, name: str, code: str, depth: int) -> bool:
        if depth > DEEPEST and code not in SCALARS:
            return False
        return self._chance.random() < (0.8 if name in LIKELY or depth == 0 else 0.25)

    def _value(self, code: str, depth: int) -> Any:
        if code[0] == "[":
            return [self._value(code[1:], depth + 1) for _ in range(self._chance.choice((0, 1, 1, 2)))]
        if code[0] == "{":
            return {
                name: self._value(code[1:], depth + 1)
                for name in self._chance.sample(("a", "cpu", "pods"), 2)
            }
        if code in SCALARS:
            return self._chance.choice(SCALARS[code])
        return self.object(code, depth + 1)


def send(store: Store, kind: Kind, obj: Obj) -> None:
    """Creates, updates or applies, then shows: the way of any object through the API."""
    writer = Owner(manager="m", operation="Apply", api_version=kind.api_version, subresource=None, time="",
                   paths=frozenset())  # fmt: skip
    read, _ = read_strictly(kind, obj)
    read = {**read, "apiVersion": kind.api_version, "kind": kind.kind}
    live = store.find(kind, read["metadata"].get("namespace"), "x")
    if live is None:
        done = store.create(kind, record_update(None, read, writer))
    else:
        done = store.update(kind, apply(live, read, writer, force=True))
    table_of(kind, [done], now=store.clock.time(), include="None")


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.view_of is None], ids=lambda kind: kind.kind)
def test_no_object_makes_the_server_fail(kind: Kind, seed: int) -> None:
    monkey, store = Monkey(seed), new_store(SimClock(seed=seed))
    answers = {"taken": 0, "refused": 0}
    for _ in range(OBJECTS):
        body = monkey.object(schema()["roots"][f"{kind.api_version}/{kind.kind}"])
        body.pop("status", None)
        meta = {"name": "x", "namespace": "default"} if kind.namespaced else {"name": "x"}
        try:
            send(store, kind, with_in(body, ("metadata",), meta))
            answers["taken"] += 1
        except ApiError:
            answers["refused"] += 1
    assert sum(answers.values()) == OBJECTS
