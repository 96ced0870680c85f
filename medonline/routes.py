"""Every path of the portal, pages and HTTP routes."""

HOME = "/"
RECOVERY = "/recovery"
CARDS = "/cards"

SESSION_OPEN = "/session/open"
SESSION_CLOSE = "/session/close"
HEALTH_LIVE = "/health/live"
HEALTH_READY = "/health/ready"
TELEGRAM_REPORT = "/callbacks/telegram"

SANDBOX = "/sandbox"
DEMO_PHONE = "/sandbox/phone"

PAGES = (HOME, RECOVERY, CARDS)
