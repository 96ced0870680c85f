"""Reflex's own settings; the portal's are in medonline/config/."""

import reflex as rx

config = rx.Config(
    app_name="medonline",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    state_manager_mode="memory",
    frontend_compression_formats=["brotli", "gzip"],
    cors_allowed_origins=[],
    plugins=[],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
