"""What the sidecar has noticed about partners."""
