"""Whether a node can get an image, and in which words the registry or the kubelet refuses."""

import base64
import binascii
import json
from dataclasses import dataclass

from sandbox.fields import Obj, annotations_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.kubelet.host import Host
from sandbox.kubelet.program import Program
from sandbox.store import Store

SECRET = kind_of("Secret")
SERVICE_ACCOUNT = kind_of("ServiceAccount")
DEFAULT_REGISTRY = "docker.io"
NODE_RESOLVER = "192.168.0.1"  # the nodes ask their own network's resolver, not the cluster's
PRIVATE = "sandbox/private-image"
DENIED = (
    "pull access denied, repository does not exist or may require authorization: "
    "server message: insufficient_scope: authorization failed"
)


@dataclass(frozen=True, slots=True)
class PullProblem:
    """Why an image cannot be had; `at_once` when nobody even asks the registry."""

    message: str
    reason: str = "ErrImagePull"
    at_once: bool = False


def pull_problem(host: Host, pod: Obj, container: Obj, program: Program) -> PullProblem | None:
    """None when the node has the image or can pull it."""
    image = container["image"]
    if "/" in image and image != image.lower():
        text = f'Failed to apply default image tag "{image}": couldn\'t parse image reference "{image}": '
        text += "invalid reference format: repository name must be lowercase"
        return PullProblem(text, "InvalidImageName", at_once=True)
    if container.get("imagePullPolicy") == "Never" and image not in host.images:
        return PullProblem(
            f'Container image "{image}" is not present with pull policy of Never', "ErrImageNeverPull", True
        )
    registry = registry_of(image)
    if not host.around.resolves(registry) and not _is_kept(host, container):
        request = f'failed to do request: Head "https://{registry}/v2/{_path_of(image)}"'
        why = f"{request}: dial tcp: lookup {registry} on {NODE_RESOLVER}:53: no such host"
        return PullProblem(_refusal(image, "Unknown", why))
    if program.fault == "imagepull":
        return PullProblem(_refusal(image, "NotFound", f"{image}: not found"))
    if annotations_of(pod).get(PRIVATE) == "true" and not _has_credentials(host.store, pod, image):
        return PullProblem(_refusal(image, "Unknown", DENIED))
    return None


def registry_of(image: str) -> str:
    """The host part of an image reference."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else DEFAULT_REGISTRY


def _is_kept(host: Host, container: Obj) -> bool:
    """Whether nobody has to ask the registry, as the node has the image."""
    return container["image"] in host.images and container.get("imagePullPolicy") != "Always"


def _path_of(image: str) -> str:
    """Where the registry's API has the image."""
    path, _, tag = image.removeprefix(f"{registry_of(image)}/").partition(":")
    return f"{path}/manifests/{tag or 'latest'}"


def _refusal(image: str, code: str, why: str) -> str:
    return (
        f'Failed to pull image "{image}": rpc error: code = {code} desc = '
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {why}'
    )


def _has_credentials(store: Store, pod: Obj, image: str) -> bool:
    names = [entry["name"] for entry in pod["spec"].get("imagePullSecrets") or ()]
    account = store.find(SERVICE_ACCOUNT, namespace_of(pod), pod["spec"].get("serviceAccountName", "default"))
    names += [entry["name"] for entry in (account or {}).get("imagePullSecrets") or ()]
    return any(
        registry_of(image) in _registries(store.find(SECRET, namespace_of(pod), name)) for name in names
    )


def _registries(secret: Obj | None) -> set[str]:
    """Hosts that a pull secret knows a login for; empty when it is missing or cannot be read."""
    text = ((secret or {}).get("data") or {}).get(".dockerconfigjson", "")
    try:
        logins = json.loads(base64.b64decode(text) or b"{}").get("auths") or {}
    except (binascii.Error, ValueError, AttributeError):
        return set()
    hosts = {host.removeprefix("https://").split("/")[0] for host in logins}
    return hosts | ({DEFAULT_REGISTRY} if "index.docker.io" in hosts else set())
