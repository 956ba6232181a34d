"""Partner simulators with a ledger and faults, as processes of their own; see docs/sandbox.md.

Nothing here knows `proxy.http1`: the sandbox judges it, so it must not share its mistakes.
"""
