"""The list of alerts that Prometheus posts to `/api/v2/alerts`.

There is no status in it: an alert whose end has passed is resolved, one that ends later fires.
"""

from datetime import datetime
from typing import Annotated

from pydantic import FailFast, TypeAdapter, ValidationError

from receive.parcel import AlertBody, Parcel, bad_input, pack

HINT = "send a list of alerts, each an object with labels, startsAt and endsAt"

_ALERTS = TypeAdapter(Annotated[list[AlertBody], FailFast()])


def parse(body: bytes, *, received_at: datetime) -> Parcel:
    """Read a list of alerts. Raises BadInput that names the first place which is wrong."""
    try:
        bodies = _ALERTS.validate_json(body)
    except ValidationError as error:
        raise bad_input(error, root="alerts") from error
    return pack(bodies, received_at=received_at)
