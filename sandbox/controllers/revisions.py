"""ControllerRevisions: the numbered templates that StatefulSets and DaemonSets remember for rolling back."""

from sandbox.fields import Obj, annotations_of, labels_of, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.state import controller_reference, short_hash
from sandbox.store import Store

REVISION = kind_of("ControllerRevision")


def history(store: Store, owner: Obj) -> list[Obj]:
    """The owner's revisions, oldest first."""
    return sorted(store.owned(REVISION, meta(owner)["uid"]), key=lambda r: r["revision"])


def present_revision(store: Store, owner: Obj, hash_label: str) -> Obj:
    """The revision of the owner's present template: found (and made the newest) or created."""
    data = template_patch(owner)
    known = history(store, owner)
    last = known[-1]["revision"] if known else 0
    same = next((revision for revision in known if revision["data"] == data), None)
    if same is None:
        return store.create(REVISION, _new(owner, data, last + 1, hash_label))
    if same["revision"] == last:
        return same
    return store.update(REVISION, {**same, "revision": last + 1})


def forget_old(store: Store, owner: Obj, in_use: set[str]) -> None:
    """Deletes revisions beyond the history limit that no pod uses, oldest first."""
    limit = owner["spec"].get("revisionHistoryLimit", 10)
    unused = [revision for revision in history(store, owner) if name_of(revision) not in in_use]
    for revision in unused[: max(0, len(unused) - limit)]:
        store.delete(REVISION, namespace_of(revision), name_of(revision))


def template_patch(owner: Obj) -> Obj:
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def template_of(revision: Obj) -> Obj:
    template = revision["data"]["spec"]["template"]
    return {name: value for name, value in template.items() if name != "$patch"}


def _new(owner: Obj, data: Obj, number: int, hash_label: str) -> Obj:
    digest = short_hash(data)
    labels = {**labels_of(owner["spec"]["template"]), hash_label: digest}
    notes = {key: value for key, value in annotations_of(owner).items() if "last-applied" not in key}
    return {
        "metadata": {
            "name": f"{name_of(owner)}-{digest}",
            "namespace": namespace_of(owner),
            "labels": labels,
            "annotations": notes,
            "ownerReferences": [controller_reference(owner)],
        },
        "data": data,
        "revision": number,
    }
