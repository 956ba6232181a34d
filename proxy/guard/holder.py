"""pybreaker, which holds closed, open and half-open, behind our words.

Only its states and its success counter are used. `call` and `calling` count a
cancellation as a failure, let every probe through, and time the open state by
the wall clock (tests/assumptions/test_pybreaker.py); so it is told of each
change, and says it back through its listener.
"""

from __future__ import annotations

import pybreaker

from proxy.guard.permit import State

_STATES = {
    pybreaker.STATE_CLOSED: State.CLOSED,
    pybreaker.STATE_OPEN: State.OPEN,
    pybreaker.STATE_HALF_OPEN: State.HALF_OPEN,
}


class Holder(pybreaker.CircuitBreakerListener):
    """`state` is what pybreaker said last; reading it costs one attribute."""

    def __init__(self) -> None:
        self.state = State.CLOSED
        self._storage = pybreaker.CircuitMemoryStorage(pybreaker.STATE_CLOSED)
        self._breaker = pybreaker.CircuitBreaker(state_storage=self._storage, listeners=[self])

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        """Pybreaker has changed its state: successes are counted anew."""
        self.state = _STATES[new_state.name]
        self._storage.reset_success_counter()

    def open(self) -> None:
        """Refuse."""
        self._breaker.open()

    def half_open(self) -> None:
        """Try."""
        self._breaker.half_open()

    def close(self) -> None:
        """Let through."""
        self._breaker.close()

    def succeeded(self) -> int:
        """Count a success; how many there were in a row in this state."""
        self._storage.increment_success_counter()
        return self._storage.success_counter

    def failed(self) -> None:
        """No more successes in a row."""
        self._storage.reset_success_counter()
