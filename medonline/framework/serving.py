"""The settings that make Reflex serve pages that are already built."""

from __future__ import annotations

# Reflex reads these when it is imported and when the app is made. Names that begin with two underscores are internal to Reflex.
PREBUILT = {
    "REFLEX_ENV_MODE": "prod",  # anything else shows the texts of exceptions to the browser
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
    "REFLEX_TELEMETRY_ENABLED": "false",
    "REFLEX_USE_NPM": "1",
}
