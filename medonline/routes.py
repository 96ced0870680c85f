"""Every path of the portal, pages and HTTP routes."""

HOME = "/"
RECOVERY = "/recovery"
CARDS = "/cards"
SETTINGS = "/settings"
SESSIONS = "/sessions"
JOURNAL = "/journal"
NOT_ME = "/not-me"
REGISTER = "/register"
LINK_ACCOUNT = "/link-account"
LOGIN_FAILED = "/login-failed"
REGION = "/region"
ACCESSIBILITY = "/accessibility"

SESSION_OPEN = "/session/open"
SESSION_CLOSE = "/session/close"
SESSION_LEFT = "/session/left"
SESSION_EXTEND = "/session/extend"
REGION_CHOOSE = "/session/region"
LOW_VISION = "/session/low-vision"
GOSUSLUGI_START = "/gosuslugi/start"
GOSUSLUGI_ONWARD = "/gosuslugi/onward"
GOSUSLUGI_LEAVE = "/gosuslugi/leave"
GOSUSLUGI_RETURN = "/gosuslugi/return"
CONNECTION_HELP = "/connection-help"
HEALTH_LIVE = "/health/live"
HEALTH_READY = "/health/ready"
METRICS = "/metrics"
SECURITY_TXT = "/.well-known/security.txt"
WELL_KNOWN = "/.well-known"
CHANGE_PASSWORD = "/.well-known/change-password"  # noqa: S105 (a path)
PASSWORD_SUGGESTION = "/passwords/suggestion"  # noqa: S105 (a path)
PASSKEY_HOST = "/passkeys/host"
PASSKEY_LOGIN_BEGIN = "/passkeys/login/begin"
PASSKEY_LOGIN = "/passkeys/login"
PASSKEY_ADD_BEGIN = "/passkeys/add/begin"
PASSKEY_ADD = "/passkeys/add"
PASSKEY_OFFER = "/passkeys/offer"
TELEGRAM_REPORT = "/callbacks/telegram"
MAX_UPDATES = "/callbacks/max"
SMS_RU_REPORT = "/callbacks/sms-ru"
UCALLER_CALL = "/callbacks/ucaller"

SANDBOX = "/sandbox"
DEMO_PHONE = "/sandbox/phone"
# Machines post to these stand-ins. They send no Origin and prove themselves in another way. To sign out, a browser posts to its provider
# from another site, with a signed token. From `localhost` to `127.0.0.1` its Origin is «null».
SANDBOX_MACHINES = tuple(
    f"{SANDBOX}/{path}"
    for path in (
        "telegram/",
        "ucaller/",
        "sms_ru/",
        "sms_aero/",
        "max/api/",
        "fhir/",
        "gosuslugi/aas/oauth2/v3/te",
        "gosuslugi/oidc/token",
        "gosuslugi/oidc/logout",
    )
)

PAGES = (
    *(HOME, RECOVERY, CARDS, SETTINGS, SESSIONS, JOURNAL, NOT_ME, REGISTER, LINK_ACCOUNT, LOGIN_FAILED, REGION),
    ACCESSIBILITY,
)
ALL = frozenset(value for name, value in list(vars().items()) if name.isupper() and isinstance(value, str))
