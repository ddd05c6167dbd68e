"""Who owns which pod or ReplicaSet: adopts orphans that match a selector, releases what no longer matches."""

from sandbox.fields import Obj, controller_of, is_deleting, labels_of, meta, name_of, namespace_of, owners_of
from sandbox.kinds import Kind
from sandbox.selectors import Selector
from sandbox.state import controller_reference
from sandbox.store import Store


def claim(store: Store, kind: Kind, owner: Obj) -> list[Obj]:
    """Objects of `kind` that `owner` controls, after adopting and releasing."""
    selector = Selector.from_obj(owner["spec"].get("selector"))
    kept = []
    for obj in store.owned(kind, meta(owner)["uid"]):
        if not _controls(owner, obj):
            continue
        if selector.matches(labels_of(obj)):
            kept.append(obj)
        elif not is_deleting(obj):
            _release(store, kind, owner, obj)
    return kept


def adopt(store: Store, kind: Kind, owner: Obj, obj: Obj) -> bool:
    """Takes over an object nobody controls, when the selector matches; says whether it did."""
    if is_deleting(owner) or is_deleting(obj) or controller_of(obj) is not None:
        return False
    selector = Selector.from_obj(owner["spec"].get("selector"))
    if selector.empty or not selector.matches(labels_of(obj)):
        return False
    references = [*owners_of(obj), controller_reference(owner)]
    store.update(kind, {**obj, "metadata": {**meta(obj), "ownerReferences": references}})
    return True


def owners_wanting(store: Store, kind: Kind, obj: Obj) -> list[Obj]:
    """Objects of `kind` in the same namespace whose selector matches an orphan."""
    labels = labels_of(obj)
    found = []
    for owner in store.list(kind, namespace_of(obj)):
        selector = Selector.from_obj(owner["spec"].get("selector"))
        if not selector.empty and selector.matches(labels):
            found.append(owner)
    return found


def _controls(owner: Obj, obj: Obj) -> bool:
    reference = controller_of(obj)
    return reference is not None and reference["uid"] == meta(owner)["uid"]


def _release(store: Store, kind: Kind, owner: Obj, obj: Obj) -> None:
    def without_owner(current: Obj) -> Obj:
        rest = [o for o in owners_of(current) if o["uid"] != meta(owner)["uid"]]
        return {**current, "metadata": {**meta(current), "ownerReferences": rest}}

    store.modify(kind, namespace_of(obj), name_of(obj), without_owner)
