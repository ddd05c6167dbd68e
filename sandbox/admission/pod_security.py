"""Pod Security: the levels `baseline` and `restricted` that a namespace's label enforces.

The checks that people meet every day; profiles of AppArmor, SELinux, sysctls and Windows are left out.
"""

from collections.abc import Callable, Iterator

from sandbox.errors import Forbidden
from sandbox.fields import Obj, get_in, labels_of, name_of
from sandbox.kinds import kind_of

LABEL = "pod-security.kubernetes.io/enforce"
DEFAULT_CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
PLAIN_VOLUMES = frozenset(
    {
        "name",
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
        "image",
    }
)
PROFILES = ("RuntimeDefault", "Localhost")


def check_pod_security(namespace: Obj, pod: Obj) -> None:
    """Raises Forbidden with every violation of the level that the namespace enforces."""
    level = labels_of(namespace).get(LABEL)
    if level not in ("baseline", "restricted"):
        return
    found = list(_baseline(pod["spec"]))
    if level == "restricted":
        found += _restricted(pod["spec"])
    if found:
        version = labels_of(namespace).get(f"{LABEL}-version", "latest")
        why = f'violates PodSecurity "{level}:{version}": {", ".join(found)}'
        raise Forbidden.because(kind_of("Pod"), name_of(pod), why)


def _baseline(spec: Obj) -> Iterator[str]:
    shared = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    if shared:
        yield f"host namespaces ({', '.join(shared)})"
    volumes = [item["name"] for item in spec.get("volumes") or () if "hostPath" in item]
    if volumes:
        yield f"hostPath volumes (volume{_s(volumes)} {_quoted(volumes)})"
    if privileged := _names(spec, lambda item: bool(_security(item).get("privileged"))):
        yield f"privileged ({_containers(privileged)} must not set securityContext.privileged=true)"
    if ports := _names(spec, lambda item: any(port.get("hostPort") for port in item.get("ports") or ())):
        yield f"hostPort ({_containers(ports)} uses a hostPort)"
    if added := _names(spec, lambda item: bool(_extra_capabilities(item))):
        extra = sorted({name for item in _all(spec) for name in _extra_capabilities(item)})
        yield (
            f"non-default capabilities ({_containers(added)} must not include {_quoted(extra)} in "
            "securityContext.capabilities.add)"
        )


def _restricted(spec: Obj) -> Iterator[str]:
    if odd := [item["name"] for item in spec.get("volumes") or () if not PLAIN_VOLUMES.issuperset(item)]:
        yield f"restricted volume types (volume{_s(odd)} {_quoted(odd)} use restricted volume types)"
    if escalating := _names(spec, lambda item: _security(item).get("allowPrivilegeEscalation") is not False):
        yield (
            f"allowPrivilegeEscalation != false ({_containers(escalating)} must set "
            "securityContext.allowPrivilegeEscalation=false)"
        )
    if capable := _names(spec, lambda item: "ALL" not in _capabilities(item, "drop")):
        yield (
            f"unrestricted capabilities ({_containers(capable)} must set "
            'securityContext.capabilities.drop=["ALL"])'
        )
    pod = spec.get("securityContext") or {}
    if not pod.get("runAsNonRoot") and (
        roots := _names(spec, lambda item: not _security(item).get("runAsNonRoot"))
    ):
        yield f"runAsNonRoot != true (pod or {_containers(roots)} must set securityContext.runAsNonRoot=true)"
    if get_in(pod, ("seccompProfile", "type")) not in PROFILES and (open_ := _names(spec, _without_profile)):
        yield (
            f"seccompProfile (pod or {_containers(open_)} must set securityContext.seccompProfile.type to "
            '"RuntimeDefault" or "Localhost")'
        )


def _all(spec: Obj) -> list[Obj]:
    return [*spec.get("initContainers", ()), *spec["containers"]]


def _names(spec: Obj, wrong: Callable[[Obj], bool]) -> list[str]:
    return [item["name"] for item in _all(spec) if wrong(item)]


def _security(container: Obj) -> Obj:
    return container.get("securityContext") or {}


def _capabilities(container: Obj, field: str) -> list[str]:
    listed: list[str] = get_in(container, ("securityContext", "capabilities", field), [])
    return listed


def _extra_capabilities(container: Obj) -> list[str]:
    return [name for name in _capabilities(container, "add") if name not in DEFAULT_CAPABILITIES]


def _without_profile(container: Obj) -> bool:
    return get_in(container, ("securityContext", "seccompProfile", "type")) not in PROFILES


def _containers(names: list[str]) -> str:
    return f"container{_s(names)} {_quoted(names)}"


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _s(names: list[str]) -> str:
    return "s" if len(names) > 1 else ""
