"""Names, labels, annotations, finalizers and owners: the rules every object's metadata keeps."""

import re

from sandbox.admission.causes import Causes, Shown
from sandbox.fields import Obj, meta, owners_of

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")

LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    f"'{LABEL.pattern}')"
)
LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    f"validation is '{LABEL_1035.pattern}')"
)
SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{SUBDOMAIN.pattern}')"
)
NAME_PART_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is "
    f"'{QUALIFIED.pattern}')"
)
VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
    "regex used for "
    f"validation is '{VALUE.pattern}')"
)
LABEL_NAMED = ("Namespace",)
LABEL_1035_NAMED = ("Service",)
PATH_NAMED = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")
ANNOTATIONS_BYTES = 256 * 1024


def check_meta(obj: Obj, causes: Causes, *, namespaced: bool) -> None:
    """All rules of metadata."""
    data = meta(obj)
    _check_name(obj["kind"], str(data.get("name") or ""), data, causes)
    if namespaced and not data.get("namespace"):
        causes.required("metadata.namespace")
    check_labels(data.get("labels"), "metadata.labels", causes)
    _check_annotations(data.get("annotations"), causes)
    _check_owners(obj, causes)
    for number, name in enumerate(data.get("finalizers") or ()):
        if "/" not in name and name not in FINALIZERS:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            causes.invalid(f"metadata.finalizers[{number}]", name, why)


def _check_name(kind: str, name: str, data: Obj, causes: Causes) -> None:
    if not name:
        causes.required("metadata.name", "name or generateName is required")
        return
    if kind in PATH_NAMED:
        if "/" in name or "%" in name:
            causes.invalid(
                "metadata.name", name, "may not contain '/'" if "/" in name else "may not contain '%'"
            )
        return
    if why := name_fault(kind, name):
        causes.invalid("metadata.name", name, why)


def name_fault(kind: str, name: str) -> str | None:
    """Why no object of `kind` may have that name; None when it may."""
    if kind in LABEL_NAMED:
        return label_fault(name)
    if kind in LABEL_1035_NAMED:
        return None if LABEL_1035.fullmatch(name) and len(name) <= 63 else LABEL_1035_TEXT
    if len(name) > 253:
        return "must be no more than 253 characters"
    return None if SUBDOMAIN.fullmatch(name) else SUBDOMAIN_TEXT


def label_fault(name: str) -> str | None:
    """Why a name is no DNS label; None when it is one."""
    if len(name) > 63:
        return "must be no more than 63 characters"
    return None if LABEL.fullmatch(name) else LABEL_TEXT


def check_labels(labels: dict[str, str] | None, field: str, causes: Causes) -> None:
    for key, value in (labels or {}).items():
        if why := key_fault(key):
            causes.invalid(field, key, why)
        if len(str(value)) > 63:
            causes.invalid(field, value, "must be no more than 63 characters")
        elif not VALUE.fullmatch(str(value)):
            causes.invalid(field, value, VALUE_TEXT)


def key_fault(key: str) -> str | None:
    """Why a text is no key of a label or annotation; None when it is one."""
    prefix, slash, name = key.rpartition("/")
    if slash and not prefix:
        return "prefix part must be non-empty"
    if prefix and not SUBDOMAIN.fullmatch(prefix):
        return f"prefix part {SUBDOMAIN_TEXT}"
    if not name:
        return "name part must be non-empty"
    if len(name) > 63:
        return "name part must be no more than 63 characters"
    return None if QUALIFIED.fullmatch(name) else NAME_PART_TEXT


def _check_annotations(annotations: dict[str, str] | None, causes: Causes) -> None:
    size = 0
    for key, value in (annotations or {}).items():
        if why := key_fault(key.lower()):
            causes.invalid("metadata.annotations", key, why)
        size += len(key) + len(str(value))
    if size > ANNOTATIONS_BYTES:
        causes.invalid("metadata.annotations", Shown('""'), f"must have at most {ANNOTATIONS_BYTES} bytes")


def _check_owners(obj: Obj, causes: Causes) -> None:
    field = "metadata.ownerReferences"
    for owner in owners_of(obj):
        for name in ("apiVersion", "kind", "name", "uid"):
            word = "version" if name == "apiVersion" else name
            if not owner.get(name):
                causes.invalid(f"{field}.{name}", "", f"{word} must not be empty")
    if sum(1 for owner in owners_of(obj) if owner.get("controller")) > 1:
        causes.invalid(field, Shown("[]"), "Only one reference can have Controller set to true")
