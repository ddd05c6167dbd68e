"""What the parts of one node's kubelet share: store, clock, events, images, addresses. It decides nothing."""

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from sandbox.clock import SimClock
from sandbox.events import Recorder
from sandbox.fields import Obj
from sandbox.kubelet.surroundings import Surroundings
from sandbox.kubelet.timings import Timings
from sandbox.store import Store

if TYPE_CHECKING:
    from sandbox.kubelet.pod import PodRun


@dataclass(slots=True)
class Host:
    """One node as its kubelet and its pods use it."""

    name: str
    number: int
    store: Store
    clock: SimClock
    timings: Timings
    events: Recorder
    images: set[str] = field(default_factory=set)
    around: Surroundings = field(default_factory=Surroundings)
    address: str = "127.0.0.1"
    reachable: bool = True  # a lost node runs on, but says and hears nothing
    unsaid: "set[PodRun]" = field(default_factory=set)  # pods whose status waits for the node's return
    _addresses: "count[int]" = field(default_factory=lambda: count(2))

    def next_pod_ip(self) -> str:
        """The next address of the node's range; 250 a block, further blocks for busy nodes."""
        number = next(self._addresses)
        block, last = divmod(number, 250)
        high, low = divmod(self.number + block * 1000, 256)
        return f"10.{244 + high % 10}.{low}.{last + 2}"

    def new_container_id(self) -> str:
        return f"containerd://{self.clock.random.getrandbits(256):064x}"


def image_id(image: str) -> str:
    return f"{image}@sha256:{'0' * 64}"


def waiting(reason: str, message: str = "") -> Obj:
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}
