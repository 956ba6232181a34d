"""The operators' side: what the sidecar knows, on a listener of its own."""
