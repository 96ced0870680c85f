"""Traces for an OpenTelemetry collector: what a request or an event does, and how long each part takes. They hold no patient data."""
