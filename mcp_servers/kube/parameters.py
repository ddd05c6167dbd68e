"""Parameters that several tools share, with the descriptions that clients and LLMs read."""

from typing import Annotated, Literal

from pydantic import Field

WorkloadKind = Literal["Deployment", "StatefulSet", "DaemonSet"]
Namespace = Annotated[str, Field(min_length=1, description="Namespace of the object.")]
AnyNamespace = Annotated[str, Field(description="Namespace; empty for all namespaces.")]
Kind = Annotated[WorkloadKind, Field(description="Kind of the workload.")]
Name = Annotated[str, Field(min_length=1, description="Name of the object.")]
Node = Annotated[str, Field(min_length=1, description="Name of the node.")]
Selector = Annotated[str, Field(description="Label selector such as app=web,tier!=cache.")]
Limit = Annotated[int, Field(ge=1, le=5000, description="At most so many items.")]
Page = Annotated[int, Field(ge=1, le=1000, description="Which page of `limit` items.")]
Grep = Annotated[str, Field(description="Only lines with this text; a|b means either, case is ignored.")]
Container = Annotated[str, Field(description="Container; may be left out where there is only one.")]
Key = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="Idempotency key: a repeated call with the same key changes nothing again.",
    ),
]
DryRun = Annotated[bool, Field(description="Let the API server check and answer, but change nothing.")]
Uid = Annotated[
    str, Field(description="The object's uid as seen before; spares a later one of the same name.")
]
