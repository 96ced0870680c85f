"""What must be in no address and on no open line: tokens at a sign-out, codes of another provider, keys and phones over plain http."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from medonline.config.settings import ConfigurationError, load_config
from medonline.domain.errors import IdentityProblem, IdentityRefused
from tests.providers.gosuslugi import esia_script
from tests.providers.gosuslugi.esia_script import EsiaScript
from tests.providers.gosuslugi.oidc_script import OidcScript
from tests.web.production import SETTINGS

HOME = "https://portal.test/"


async def test_an_id_token_leaves_in_the_body_of_a_post_or_not_at_all(gateway: OidcScript) -> None:
    for by_post, token in ((True, "a.secret.token"), (False, "a.secret.token"), (True, ""), (False, "")):
        adapter = gateway.adapter(token_leaves_by_post=by_post)
        try:
            away = await adapter.sign_out(token, HOME)
        finally:
            await adapter.close()
        assert away is not None
        assert "secret" not in away.url
        assert away.fields.get("id_token_hint", "") == (token if by_post else "")
        query = parse_qs(urlsplit(away.url).query)
        returns = away.fields.get("post_logout_redirect_uri") or query["post_logout_redirect_uri"][0]
        assert returns == HOME


async def test_esias_sign_out_has_no_token(esia: EsiaScript) -> None:
    adapter = esia_script.esia(esia.server.url)
    try:
        away = await adapter.sign_out("a.secret.token", HOME)
    finally:
        await adapter.close()
    assert "secret" not in away.url + str(away.fields)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://evil.example",
        "",
        " ",
        "null",
        "{own}/",
        "{own}#",
        "{own}?x",
        " {own}",
        "{own}\u200b",
        "HTTP://127.0.0.1",
        "{own}@evil.test",
    ],
)
@pytest.mark.parametrize("promised", [True, False, None])
async def test_a_return_with_a_foreign_iss_is_refused(gateway: OidcScript, issuer: str, promised: bool | None) -> None:
    gateway.metadata["authorization_response_iss_parameter_supported"] = promised
    adapter = gateway.adapter()
    try:
        with pytest.raises(IdentityRefused) as refused:
            await adapter.check_return(issuer.format(own=gateway.server.url))
        assert refused.value.problem is IdentityProblem.UNTRUSTWORTHY
        await adapter.check_return(gateway.server.url)
    finally:
        await adapter.close()


SMS_RU = {"FLASH_CALL_PROVIDER": "sms_ru", "SMS_RU_API_ID": "an-id", "SMS_RU_BASE_URL": "https://sms.ru"}
ESIA = {
    "IDENTITY_PROVIDER": "esia",
    "ESIA_CLIENT_ID": "MEDONLINE",
    "ESIA_CERTIFICATE_HASH": "AB" * 32,
    "ESIA_SIGNER_URL": "https://signer.example.ru",
}
ADDRESSES: list[tuple[str, dict[str, str]]] = [
    ("TELEGRAM_BASE_URL", {}),
    ("UCALLER_BASE_URL", {}),
    ("SMS_RU_BASE_URL", SMS_RU),
    ("SMS_RU_BASE_URL", SMS_RU | {"FLASH_CALL_PROVIDER": "ucaller", "NOTICE_PROVIDER": "sms_ru"}),
    ("CARD_REGISTRY_URL", {}),
    ("BREACHED_PASSWORDS_URL", {}),
    ("OIDC_ISSUER", {}),
    ("ESIA_BASE_URL", ESIA),
    ("ESIA_SIGNER_URL", ESIA),
]
HOSTS = [
    "http://provider.example.ru",
    "HTTP://provider.example.ru",
    "http://10.0.0.5:8080/api",
    "http://localhost.example.ru",
    "http://127.0.0.1.example.ru",
    "http://127.0.0.1@example.ru",
    "http://0.0.0.0:8000",
    "http://[fe80::1]/",
]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    import os

    for name in [name for name in os.environ if name.startswith("MEDONLINE_")]:
        monkeypatch.delenv(name)
    key = tmp_path / "esia.pem"
    key.write_text("a key")

    def reading(**changes: str) -> None:
        for name, value in (SETTINGS | {"ESIA_KEYS": str(key)} | changes).items():
            monkeypatch.setenv(f"MEDONLINE_{name}", value)
        load_config()

    return reading


@pytest.mark.parametrize("address", HOSTS)
@pytest.mark.parametrize(("setting", "others"), ADDRESSES)
def test_production_speaks_to_no_provider_over_plain_http(
    read, setting: str, others: dict[str, str], address: str
) -> None:
    read(**others)

    with pytest.raises(ConfigurationError, match=f"MEDONLINE_{setting} must be an https address in production"):
        read(**others | {setting: address})


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9000/api", "http://localhost:9000", "http://[::1]:9000", "http://127.8.8.8"]
)
@pytest.mark.parametrize(
    ("setting", "others"), [(name, more) for name, more in ADDRESSES if name not in ("OIDC_ISSUER", "ESIA_BASE_URL")]
)
def test_a_way_that_stays_on_this_machine_may_be_plain(
    read, setting: str, others: dict[str, str], address: str
) -> None:
    read(**others | {setting: address})
