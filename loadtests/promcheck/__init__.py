"""`make promcheck`: all that dashboards and alerts show, asked of a real Prometheus."""
