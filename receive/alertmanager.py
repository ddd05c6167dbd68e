"""Alertmanager's webhook body, version 4.

The group's own status is not read: it stays "firing" while any alert fires, so each alert's counts.
"""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from receive.parcel import AlertBody, Parcel, bad_input, pack

HINT = "send the body of an Alertmanager webhook: an object with a list of alerts"


class _Webhook(BaseModel):
    model_config = ConfigDict(extra="ignore")

    alerts: Annotated[list[AlertBody], FailFast()]
    group_key: str | None = Field(default=None, alias="groupKey")
    truncated_count: Annotated[int, Field(ge=0)] | None = Field(default=None, alias="truncatedAlerts")


def parse(body: bytes, *, received_at: datetime) -> Parcel:
    """Read a webhook body. Raises BadInput that names the first place which is wrong."""
    try:
        webhook = _Webhook.model_validate_json(body)
    except ValidationError as error:
        raise bad_input(error) from error
    return pack(
        webhook.alerts,
        received_at=received_at,
        group_key=webhook.group_key or "",
        truncated_count=webhook.truncated_count or 0,
    )
