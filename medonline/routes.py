"""Every path of the portal, pages and HTTP routes."""

HOME = "/"
RECOVERY = "/recovery"
CARDS = "/cards"
SETTINGS = "/settings"
SESSIONS = "/sessions"
REGISTER = "/register"
LINK_ACCOUNT = "/link-account"
LOGIN_FAILED = "/login-failed"
REGION = "/region"

SESSION_OPEN = "/session/open"
SESSION_CLOSE = "/session/close"
SESSION_LEFT = "/session/left"
SESSION_EXTEND = "/session/extend"
REGION_CHOOSE = "/session/region"
GOSUSLUGI_START = "/gosuslugi/start"
GOSUSLUGI_LEAVE = "/gosuslugi/leave"
GOSUSLUGI_RETURN = "/gosuslugi/return"
HEALTH_LIVE = "/health/live"
HEALTH_READY = "/health/ready"
TELEGRAM_REPORT = "/callbacks/telegram"

SANDBOX = "/sandbox"
DEMO_PHONE = "/sandbox/phone"

PAGES = (HOME, RECOVERY, CARDS, SETTINGS, SESSIONS, REGISTER, LINK_ACCOUNT, LOGIN_FAILED, REGION)
