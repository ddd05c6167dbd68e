"""Questions to the API: may I, who am I. Roles are stored but not enforced: everybody may do everything."""

from sandbox.api import wire
from sandbox.api.bodies import JSON, load
from sandbox.fields import Obj

USER: Obj = {"username": "sandbox-admin", "groups": ["system:masters", "system:authenticated"]}
ALLOWED: Obj = {"allowed": True, "reason": "the sandbox does not enforce RBAC"}
EVERYTHING: Obj = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}
ANSWERS: dict[str, Obj] = {
    "selfsubjectaccessreviews": ALLOWED,
    "subjectaccessreviews": ALLOWED,
    "localsubjectaccessreviews": ALLOWED,
    "selfsubjectrulesreviews": EVERYTHING,
    "selfsubjectreviews": {"userInfo": USER},
    "tokenreviews": {"authenticated": True, "user": USER},
}


def answer(plural: str, body: bytes) -> Obj:
    """The question with its status filled in; of a protobuf question only its type is repeated."""
    if body.startswith(wire.MAGIC):
        envelope = wire.open_envelope(body)
        question: Obj = {
            "apiVersion": envelope.api_version,
            "kind": envelope.kind,
            "metadata": {},
            "spec": {},
        }
    else:
        question = load(body, JSON, "the review is unrecognized")
    return {**question, "status": ANSWERS[plural]}
