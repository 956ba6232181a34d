"""What the outside may see of us: the canonical log line and the metrics."""
