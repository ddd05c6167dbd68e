"""The sandbox's time as the service's clock: whoever waits moves the cluster on, nobody waits for real."""

import asyncio
from datetime import datetime

from sandbox.clock import SimClock

STRIDE_S = 1.0  # cluster time between two chances for others to act; coarser ones would hide short states


class VirtualTime:
    """`domain.clock.Clock` on a simulated clock that is not pumped in real time.

    Several sleepers share the time: the first one moves it, the others find it has passed.
    """

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """The cluster's time, aware UTC."""
        return self._clock.now()

    def monotonic_s(self) -> float:
        """Seconds of the cluster's time."""
        return self._clock.time()

    async def sleep(self, seconds: float) -> None:
        """Move the cluster on until that much of its time has passed."""
        until_s = self._clock.time() + seconds
        while (left_s := until_s - self._clock.time()) > 0:
            self._clock.advance(min(left_s, STRIDE_S))
            await asyncio.sleep(0)
