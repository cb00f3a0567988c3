"""Signals that ask the command to stop: it stops as on Ctrl-C, and clears away what it had begun."""

from __future__ import annotations

import signal
import time
from types import FrameType

INTERRUPTED = 130

_GRACE = 2.0  # seconds for clearing away, in which a second signal is not heard


class Signals:
    """Turns SIGINT, SIGTERM and SIGHUP into a KeyboardInterrupt, unless they are ignored, as under nohup."""

    def __init__(self) -> None:
        self.exit_code = INTERRUPTED
        self._heard = 0.0
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self._heard and time.monotonic() - self._heard < _GRACE:
            return
        self._heard, self.exit_code = time.monotonic(), 128 + number
        raise KeyboardInterrupt
