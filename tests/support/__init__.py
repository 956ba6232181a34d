"""What tests and load tests share: the real sidecar as a child, a scripted origin, a raw client."""
