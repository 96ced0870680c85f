"""The least that an operator sets for production."""

from __future__ import annotations

ORIGIN = "https://portal.example.ru"
SETTINGS = {
    "MODE": "production",
    "TRUSTED_PROXY_HOPS": "1",
    "PUBLIC_URL": ORIGIN,
    "SECRET_KEY": "2b7e151628aed2a6abf7158809cf4f3c",
    "TELEGRAM_BASE_URL": "https://gatewayapi.telegram.org",
    "TELEGRAM_TOKEN": "a-token",
    "UCALLER_BASE_URL": "https://api.ucaller.ru",
    "UCALLER_KEY": "a-key",
    "UCALLER_SERVICE_ID": "42",
    "IDENTITY_PROVIDER": "oidc",
    "OIDC_ISSUER": "https://gateway.example.ru",
    "OIDC_CLIENT_ID": "MEDONLINE",
    "OIDC_CLIENT_SECRET": "a-secret",
    "CARD_REGISTRY_URL": "https://registry.example.ru/fhir",
    "CARD_REGISTRY_TOKEN": "another-token",
    "OPERATOR_NAME": "ГБУЗ «Поликлиника № 1»",
}
