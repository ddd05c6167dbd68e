"""GET of one object and of lists: paging, resource versions, tables."""

import base64
import json

from sandbox.api.call import Call
from sandbox.api.columns import table_of
from sandbox.api.views import show
from sandbox.errors import ApiError, BadRequest
from sandbox.fields import Obj, meta
from sandbox.kinds import Kind
from sandbox.store import Store
from sandbox.tables import Record


class TooLargeVersion(ApiError):
    """Asked for a state that this server has not reached."""

    code, reason = 504, "Timeout"

    def __init__(self, asked: int, current: int) -> None:
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        details: Obj = {"causes": [cause], "retryAfterSeconds": 1}
        super().__init__(f"Timeout: Too large resource version: {asked}, current: {current}", details)


def get_json(call: Call, store: Store, stored: Kind) -> bytes:
    """One object, rendered as the client accepts it."""
    record = store.record(stored, call.namespace, call.name or "")
    if call.accepts("Table"):
        table = table_of(call.kind, [record.obj], now=store.clock.time(), include=_include(call))
        return encode({**table, "metadata": {"resourceVersion": str(record.revision)}})
    return record.json if call.kind is stored else encode(show(call.kind, record.obj))


def list_json(call: Call, store: Store, stored: Kind) -> bytes:
    """A list or a page of it; raises BadRequest, or Gone for a page of a forgotten state."""
    page = _page(call, store, stored)
    data = json.dumps(page.meta, separators=(",", ":"))
    if call.accepts("Table"):
        objects = [show(call.kind, record.obj) for record in page.records]
        table = table_of(call.kind, objects, now=store.clock.time(), include=_include(call))
        return encode({**table, "metadata": page.meta})
    if call.accepts("PartialObjectMetadataList"):
        return encode(_metadata_list(page))
    items = b",".join(_item(call.kind, stored, record) for record in page.records)
    head = (
        f'{{"kind":"{call.kind.list_kind}","apiVersion":"{call.kind.api_version}","metadata":{data},"items":['
    )
    return head.encode() + items + b"]}\n"


def encode(obj: Obj) -> bytes:
    return json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


class Page:
    """Records of one answer and the list's metadata."""

    def __init__(self, records: list[Record], meta: Obj) -> None:
        self.records = records
        self.meta = meta


def _page(call: Call, store: Store, stored: Kind) -> Page:
    limit, token = call.number("limit") or 0, call.query.get("continue", "")
    revision, after = _read_token(token) if token else (_exact(call, store), None)
    records = _state(call, store, stored, revision)
    data: Obj = {"resourceVersion": str(revision or store.revision)}
    if after is not None:
        records = [record for record in records if record.key > after]
    rest = len(records) - limit if limit else 0
    if rest > 0:
        records = records[:limit]
        data["continue"] = _token(revision or store.revision, records[-1].key)
        if not call.query.get("labelSelector") and not call.query.get("fieldSelector"):
            data["remainingItemCount"] = rest
    return Page(records, data)


def _state(call: Call, store: Store, stored: Kind, revision: int | None) -> list[Record]:
    """Selected records as they are, or as they were at a revision."""
    if revision is None or revision == store.revision:
        return store.records(stored, call.namespace, labels=call.labels, fields=call.fields)
    return store.records_at(stored, revision, call.namespace, labels=call.labels, fields=call.fields)


def _exact(call: Call, store: Store) -> int | None:
    """The revision asked for with resourceVersionMatch=Exact; checks the others."""
    text = call.query.get("resourceVersion", "")
    asked = version_number(text) if text else 0
    if asked > store.revision:
        raise TooLargeVersion(asked, store.revision)
    match = call.query.get("resourceVersionMatch", "")
    if match and not text:
        raise BadRequest("resourceVersionMatch is forbidden unless resourceVersion is provided")
    paged = bool(call.number("limit")) and asked > 0 and not match  # the older way to say Exact
    return asked if match == "Exact" or paged else None


def version_number(text: str) -> int:
    """Raises BadRequest when a resourceVersion is not a number."""
    if not text.isdigit():
        raise BadRequest(
            f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        )
    return int(text)


def _token(revision: int, key: tuple[str, str]) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": list(key)})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, name = found["start"]
        return int(found["rv"]), (str(namespace), str(name))
    except (ValueError, KeyError, TypeError) as error:
        raise BadRequest(f"invalid continue token: continue key is not valid: {error}") from error


def _item(kind: Kind, stored: Kind, record: Record) -> bytes:
    return record.json if kind is stored else encode(show(kind, record.obj))


def _include(call: Call) -> str:
    return call.query.get("includeObject") or "Metadata"


def _metadata_list(page: Page) -> Obj:
    version = "meta.k8s.io/v1"
    items = [
        {"kind": "PartialObjectMetadata", "apiVersion": version, "metadata": meta(record.obj)}
        for record in page.records
    ]
    return {"kind": "PartialObjectMetadataList", "apiVersion": version, "metadata": page.meta, "items": items}
