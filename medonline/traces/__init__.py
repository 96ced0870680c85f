"""What a request or an event does, and how long each part takes, for a collector of OpenTelemetry; nothing of a patient."""
