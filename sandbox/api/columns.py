"""Server-side tables: what `kubectl get` shows, computed here as a real API server does.

The columns of each kind are in the `columns_*` files; this one puts tables together.
"""

from sandbox.api.cells import Column, age, name_cell
from sandbox.api.columns_other import OTHERS
from sandbox.api.columns_pods import PODS
from sandbox.api.columns_workloads import WORKLOADS
from sandbox.fields import Obj, meta
from sandbox.kinds import Kind

META_VERSION = "meta.k8s.io/v1"
PLAIN = (Column("Name", name_cell), Column("Age", age))
BY_KIND: dict[str, tuple[Column, ...]] = {**PODS, **WORKLOADS, **OTHERS}


def table_of(kind: Kind, objects: list[Obj], *, now: float, include: str) -> Obj:
    """A `Table` of the objects at the moment `now` (unix seconds).

    `include` says what travels with each row: Metadata, Object or None.
    """
    columns = PLAIN if kind.custom else BY_KIND.get(kind.kind, PLAIN)
    rows = [
        {"cells": [column.cell(obj, now) for column in columns], **_travels(obj, include)} for obj in objects
    ]
    return {
        "kind": "Table",
        "apiVersion": META_VERSION,
        "metadata": {},
        "columnDefinitions": [column.definition for column in columns],
        "rows": rows,
    }


def _travels(obj: Obj, include: str) -> Obj:
    if include == "None":
        return {}
    if include == "Object":
        return {"object": obj}
    return {"object": {"kind": "PartialObjectMetadata", "apiVersion": META_VERSION, "metadata": meta(obj)}}
