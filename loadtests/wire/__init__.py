"""What peers do to the wire: hostile origins behind the pool, slow clients before the edge.

python -m loadtests.wire.hostile_pool [--responses N] [--seed N]
python -m loadtests.wire.slow_clients [--quick]
"""
