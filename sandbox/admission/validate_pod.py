"""What a pod spec may not be: names, volumes, tolerations, affinity; containers have a file of their own."""

from collections.abc import Iterable

from sandbox.admission.causes import Causes
from sandbox.admission.validate_containers import check_containers
from sandbox.admission.validate_names import check_labels, key_fault, label_fault
from sandbox.fields import Obj, get_in

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
LABEL_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def check_pod_spec(spec: Obj, field: str, causes: Causes, *, claimed: Iterable[str] = ()) -> None:
    """All rules of a pod spec at `field`, such as `spec` or `spec.template.spec`.

    Mounts may also use the volumes `claimed`, which a StatefulSet adds to its pods.
    """
    volumes = _check_volumes(spec, f"{field}.volumes", causes) | set(claimed)
    check_containers(spec, field, volumes, causes)
    causes.one_of(f"{field}.restartPolicy", spec.get("restartPolicy"), RESTART_POLICIES)
    causes.one_of(f"{field}.dnsPolicy", spec.get("dnsPolicy"), DNS_POLICIES)
    causes.not_negative(f"{field}.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds"))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and deadline < 1:
        causes.invalid(
            f"{field}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive"
        )
    check_labels(spec.get("nodeSelector"), f"{field}.nodeSelector", causes)
    _check_tolerations(spec, f"{field}.tolerations", causes)
    _check_affinity(spec.get("affinity") or {}, f"{field}.affinity", causes)
    _check_spread(spec, f"{field}.topologySpreadConstraints", causes)


def _check_volumes(spec: Obj, field: str, causes: Causes) -> set[str]:
    """Returns the names that mounts may use."""
    names: set[str] = set()
    for number, volume in enumerate(spec.get("volumes") or ()):
        where, name = f"{field}[{number}]", volume.get("name", "")
        if not name:
            causes.required(f"{where}.name")
        elif why := label_fault(name):
            causes.invalid(f"{where}.name", name, why)
        elif name in names:
            causes.duplicate(f"{where}.name", name)
        names.add(name)
        for extra in [key for key in volume if key != "name"][1:]:
            causes.forbidden(f"{where}.{extra}", "may not specify more than 1 volume type")
        _check_source(volume, where, causes)
    return names


def _check_source(volume: Obj, where: str, causes: Causes) -> None:
    needed = {
        "persistentVolumeClaim": "claimName",
        "configMap": "name",
        "secret": "secretName",
        "hostPath": "path",
    }
    for source, name in needed.items():
        if source in volume and not volume[source].get(name):
            causes.required(f"{where}.{source}.{name}")


def _check_tolerations(spec: Obj, field: str, causes: Causes) -> None:
    for number, item in enumerate(spec.get("tolerations") or ()):
        where, operator = f"{field}[{number}]", item.get("operator") or "Equal"
        if operator not in ("Equal", "Exists"):
            causes.unsupported(f"{where}.operator", operator, ("Equal", "Exists"))
        if operator == "Exists" and item.get("value"):
            causes.invalid(f"{where}.operator", item, "value must be empty when `operator` is 'Exists'")
        if not item.get("key") and operator != "Exists":
            causes.invalid(
                f"{where}.operator",
                operator,
                'operator must be Exists when `key` is empty, which means "match all values and all keys"',
            )
        if item.get("effect") and item["effect"] not in EFFECTS:
            causes.unsupported(f"{where}.effect", item["effect"], EFFECTS)
        if item.get("tolerationSeconds") is not None and item.get("effect") != "NoExecute":
            causes.invalid(
                f"{where}.effect",
                item.get("effect", ""),
                "effect must be 'NoExecute' when `tolerationSeconds` is set",
            )


def _check_affinity(affinity: Obj, field: str, causes: Causes) -> None:
    for name in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(name) or {}
        for number, term in enumerate(terms.get(REQUIRED) or ()):
            _check_topology(term, f"{field}.{name}.{REQUIRED}[{number}]", causes)
        for number, term in enumerate(terms.get(PREFERRED) or ()):
            where = f"{field}.{name}.{PREFERRED}[{number}]"
            _check_weight(term, where, causes)
            _check_topology(term.get("podAffinityTerm") or {}, f"{where}.podAffinityTerm", causes)
    _check_node_affinity(affinity.get("nodeAffinity") or {}, f"{field}.nodeAffinity", causes)


def _check_node_affinity(affinity: Obj, field: str, causes: Causes) -> None:
    required = affinity.get(REQUIRED)
    if required is not None:
        where = f"{field}.{REQUIRED}.nodeSelectorTerms"
        terms = required.get("nodeSelectorTerms") or ()
        if not terms:
            causes.required(where, "must have at least one node selector term")
        for number, term in enumerate(terms):
            _check_expressions(term, f"{where}[{number}]", causes)
    for number, term in enumerate(affinity.get(PREFERRED) or ()):
        where = f"{field}.{PREFERRED}[{number}]"
        _check_weight(term, where, causes)
        _check_expressions(term.get("preference") or {}, f"{where}.preference", causes)


def _check_expressions(term: Obj, field: str, causes: Causes) -> None:
    for number, item in enumerate(term.get("matchExpressions") or ()):
        operator = item.get("operator", "")
        where = f"{field}.matchExpressions[{number}]"
        if operator not in NODE_OPERATORS:
            causes.invalid(f"{where}.operator", operator, "not a valid selector operator")
        if operator in ("In", "NotIn") and not item.get("values"):
            causes.required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'")


def _check_weight(term: Obj, field: str, causes: Causes) -> None:
    weight = term.get("weight", 0)
    if not 1 <= weight <= 100:
        causes.invalid(f"{field}.weight", weight, "must be in the range 1-100")


def _check_topology(term: Obj, field: str, causes: Causes) -> None:
    key = term.get("topologyKey", "")
    if not key:
        causes.required(f"{field}.topologyKey", "can not be empty")
    if why := key_fault(key):
        causes.invalid(f"{field}.topologyKey", key, why)


def _check_spread(spec: Obj, field: str, causes: Causes) -> None:
    for number, item in enumerate(spec.get("topologySpreadConstraints") or ()):
        where = f"{field}[{number}]"
        if item.get("maxSkew", 0) <= 0:
            causes.invalid(f"{where}.maxSkew", item.get("maxSkew", 0), "must be greater than zero")
        if not item.get("topologyKey"):
            causes.required(f"{where}.topologyKey", "can not be empty")
        causes.one_of(
            f"{where}.whenUnsatisfiable",
            item.get("whenUnsatisfiable", ""),
            ("DoNotSchedule", "ScheduleAnyway"),
        )


def check_selector(selector: Obj | None, field: str, causes: Causes) -> bool:
    """Whether a LabelSelector can be used; adds a cause for each expression that cannot."""
    before = len(causes.found)
    check_labels((selector or {}).get("matchLabels"), f"{field}.matchLabels", causes)
    for number, item in enumerate(get_in(selector or {}, ("matchExpressions",), ())):
        where, operator = f"{field}.matchExpressions[{number}]", item.get("operator", "")
        if operator not in LABEL_OPERATORS:
            causes.invalid(f"{where}.operator", operator, "not a valid selector operator")
        elif operator in ("In", "NotIn") and not item.get("values"):
            causes.required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator not in ("In", "NotIn") and item.get("values"):
            causes.forbidden(
                f"{where}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            )
    return len(causes.found) == before
