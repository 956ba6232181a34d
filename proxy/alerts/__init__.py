"""Alerts: incidents told to webhooks, off the path of calls."""
