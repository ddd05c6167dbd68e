"""Reading bodies: types, unknown fields, quantities, protobuf."""

import base64
from typing import Any

import pytest

from sandbox.api import wire
from sandbox.api.bodies import load_yaml
from sandbox.api.schema import quantity, read_strictly
from sandbox.errors import BadRequest
from sandbox.kinds import kind_of
from tests.sandbox.api_objects import container, deployment


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        (2, "2"),
        ("0", "0"),
        ("100m", "100m"),
        ("1000", "1k"),
        ("0.5Gi", "512Mi"),
        ("-1", "-1"),
    ],
)
def test_a_quantity_has_one_spelling(text: Any, canonical: str) -> None:
    assert quantity(text) == canonical


def test_unknown_fields_are_named_and_dropped() -> None:
    obj = deployment(foo=1)
    read, unknown = read_strictly(kind_of("Deployment"), obj)
    assert unknown == ["spec.foo"]
    assert "foo" not in read["spec"]


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (
            deployment(replicas="three"),
            "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            deployment(template={"spec": {"containers": {}}}),
            "PodSpec.spec.template.spec.containers of type []v1.Container",
        ),
        (
            deployment(template={"spec": {"containers": [container(env=[{"name": "A", "value": 5}])]}}),
            "unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type",
        ),
        (
            deployment(
                template={"spec": {"containers": [container(resources={"limits": {"memory": "12Q"}})]}}
            ),
            "quantities must match the regular expression",
        ),
        (deployment(paused="yes"), "of type bool"),
    ],
)
def test_wrong_types_are_refused_in_gos_words(obj: Any, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_strictly(kind_of("Deployment"), obj)
    assert caught.value.message.startswith('Deployment in version "v1" cannot be handled as a Deployment: ')
    assert words in caught.value.message


def test_yaml_keeps_timestamps_as_text() -> None:
    assert load_yaml(b"at: 2026-01-05T08:00:00Z\nn: 1\n") == {"at": "2026-01-05T08:00:00Z", "n": 1}


CONFIG_MAP = base64.b64decode(  # `kubectl create configmap x --from-literal=a=b`, as kubectl 1.32 sends it
    "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEhsKEQoBeBIAGgAiACoAMgA4AEIAEgYKAWESAWIaACIA"
)
DEPLOYMENT = base64.b64decode(  # `kubectl create deployment web --image=nginx --replicas=0 --port=80`
    "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErgBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEoYBCAASDAoKCgNhcHAS"
    "A3dlYhpsChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkwSLgoFbmdpbngSBW5naW54KgAyCgoAEAAYUCIAKgBCAGoAcgCAAQCI"
    "AQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA="
)


def test_a_protobuf_body_is_read() -> None:
    obj = wire.read(CONFIG_MAP)
    assert obj == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "b"}}


def test_a_protobuf_body_keeps_the_zeros_that_say_something() -> None:
    spec = wire.read(DEPLOYMENT)["spec"]
    container = spec["template"]["spec"]["containers"][0]
    assert spec["replicas"] == 0
    assert container == {"name": "nginx", "image": "nginx", "ports": [{"containerPort": 80}], "resources": {}}


@pytest.mark.parametrize("body", [b"nonsense", CONFIG_MAP[:40]])
def test_a_damaged_protobuf_body_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        wire.read(body)
