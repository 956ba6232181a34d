"""PURE. Slices as documents: what /load, `tidegate partners` and metrics are made of."""

from __future__ import annotations

from typing import Any

from proxy.guard.permit import Standing, State
from proxy.guard.slices import Slice


def row(at: Slice, now: float) -> dict[str, Any]:
    """One slice as a document; times in seconds from this moment."""
    return {
        "partner": at.partner,
        "upstream": at.upstream,
        "compartment": at.compartment,
        "part": at.part,
        "slice": at.name,
        **described(at.circuit.standing(now), now),
        "refused": dict(at.refused),
        "would_refuse": at.would_refuse,
        "throttled": at.throttled,
        "changes": {state.value: at.changes.get(state.value, 0) for state in State},
    }


def glance(at: Slice, now: float) -> dict[str, Any]:
    """A few members of the same: pages of many slices are made of these every second."""
    at.circuit.look(now)
    seen = at.circuit.states.glance(now)
    return {
        "state": seen.state.value,
        "why": seen.why,
        "p50_ms": _ms(seen.p50_s),
        "p99_ms": _ms(seen.p99_s),
        "ordinary_p99_ms": _ms(seen.ordinary_p99_s),
        "admitted_share": round(seen.admitted_share, 3),
    }


def described(standing: Standing, now: float) -> dict[str, Any]:
    """A circuit as it stands, as a document; times in seconds from this moment."""
    figures, probe_at = standing.figures, standing.next_probe_at
    return {
        "state": standing.state.value,
        "shadow": standing.shadow,
        "for_s": round(now - standing.since, 3),
        "why": standing.why,
        "calls": figures.calls,
        "failures": figures.failures,
        "saturated": figures.saturated,
        "slow": figures.slow,
        "share": round(figures.share, 4),
        "share_low": round(figures.share_low, 4),
        "share_high": round(figures.share_high, 4),
        "ordinary_share": round(figures.ordinary_share, 4),
        "p50_ms": _ms(figures.p50_s),
        "p99_ms": _ms(figures.p99_s),
        "ordinary_p99_ms": _ms(figures.ordinary_p99_s),
        "slow_ms": _ms(figures.slow_s),
        "probes": standing.probes,
        "awaits_check": standing.awaits_check,
        "admitted_share": round(standing.admitted_share, 3),
        "next_probe_s": None if probe_at is None else round(max(0.0, probe_at - now), 3),
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
