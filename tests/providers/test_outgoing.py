"""A vendor behind a private authority and a proxy: believed and reached where the settings say so, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medonline.bootstrap.outside import Outside, build_outside
from medonline.config.demo_keys import demo_identity_keys
from medonline.config.settings import ConfigurationError, load_config
from medonline.domain.errors import ProviderDown
from medonline.providers.http import JsonClient
from medonline.providers.limits.stores import MemoryLimitStore
from medonline.providers.outgoing import DIRECT, Outgoing
from medonline.services.clock import utc_now
from medonline.services.limits.alarms import Alarms
from tests.providers.private_vendor import HOST, Authority, authority, connect_proxy, tls_vendor
from tests.services.world import keys_of_this_process
from tests.web.production import SETTINGS


@pytest.fixture
def private(tmp_path: Path) -> Authority:
    return authority(tmp_path / "authority")


@pytest.fixture
def port(private: Authority) -> Iterator[int]:
    with tls_vendor(private, '{"answered": true}') as port:
        yield port


async def asked(address: str, outgoing: Outgoing = DIRECT) -> object:
    client = JsonClient(address, name="vendor", outgoing=outgoing)
    try:
        return (await client.get("/", idempotent=False))[1]
    finally:
        await client.close()


async def test_a_private_root_is_believed_where_its_file_is_named(private: Authority, port: int) -> None:
    assert await asked(f"https://localhost:{port}", Outgoing(ca_file=private.root)) == {"answered": True}
    with pytest.raises(ProviderDown, match="its certificate is not trusted"):
        await asked(f"https://localhost:{port}")


async def test_another_root_and_another_name_are_not_believed(private: Authority, port: int, tmp_path: Path) -> None:
    another = authority(tmp_path / "another", "another root")
    with pytest.raises(ProviderDown, match="its certificate is not trusted"):
        await asked(f"https://localhost:{port}", Outgoing(ca_file=another.root))
    with connect_proxy() as proxy, pytest.raises(ProviderDown, match="its certificate is not trusted"):
        await asked(f"https://other.test:{port}", Outgoing(proxy.address, private.root))


def test_the_public_roots_are_believed_besides(private: Authority) -> None:
    public, both = Outgoing().trust, Outgoing(ca_file=private.root).trust

    assert len(both.get_ca_certs()) == len(public.get_ca_certs()) + 1


async def test_requests_go_through_the_proxy_by_connect(private: Authority, port: int) -> None:
    with connect_proxy() as proxy:
        through = proxy.address.replace("http://", "http://portal:hunter2secret@")
        assert await asked(f"https://{HOST}:{port}", Outgoing(through, private.root)) == {"answered": True}

    assert proxy.asked == [f"CONNECT {HOST}:{port} HTTP/1.1"]
    assert proxy.users == ["portal:hunter2secret"]
    assert "hunter2secret" not in repr(Outgoing(through))


async def test_what_is_on_this_machine_is_reached_without_the_proxy(private: Authority, port: int) -> None:
    with connect_proxy() as proxy:
        for host in ("localhost", "127.0.0.1"):
            assert await asked(f"https://{host}:{port}", Outgoing(proxy.address, private.root)) == {"answered": True}

    assert proxy.asked == []


async def test_a_proxy_may_be_spoken_to_over_tls(private: Authority, port: int, tmp_path: Path) -> None:
    with connect_proxy(by=private) as proxy:
        through = proxy.address.replace("127.0.0.1", "portal:hunter2secret@127.0.0.1")
        assert await asked(f"https://{HOST}:{port}", Outgoing(through, private.root)) == {"answered": True}
        assert proxy.users == ["portal:hunter2secret"]
        another = authority(tmp_path / "another", "another root").root
        with pytest.raises(ProviderDown, match="its certificate is not trusted"):
            await asked(f"https://{HOST}:{port}", Outgoing(through, another))

    assert len(proxy.asked) == 1


@pytest.mark.parametrize("status", [403, 407])
async def test_a_proxy_that_refuses_is_named_and_is_no_call(private: Authority, port: int, status: int) -> None:
    refused = rf"the proxy refuses the way \(HTTP {status}\)"
    with connect_proxy(refuses=status) as proxy, pytest.raises(ProviderDown, match=refused) as failure:
        await asked(f"https://{HOST}:{port}", Outgoing(proxy.address, private.root))

    assert not failure.value.may_have_gone_out
    assert len(proxy.asked) == 1


async def test_proxies_of_the_environment_do_not_count(
    private: Authority, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        monkeypatch.setenv("SSL_CERT_FILE", str(private.root))
        with pytest.raises(ProviderDown):
            await asked(f"https://{HOST}:{port}")

    assert proxy.asked == []


# --- the settings -----------------------------------------------------------------------------------------------


def ways_of(outside: Outside) -> dict[str, Outgoing]:
    """How each vendor's requests leave, by the name of its client."""
    vendors = [vendor for of_way in outside.channels.values() for vendor in of_way]
    adapters = [*vendors, outside.identity, outside.registry, outside.breached, outside.notices]
    clients = {type(one).__name__: one._client for one in adapters}  # type: ignore[union-attr]
    ways = {name: client._outgoing for name, client in clients.items()}
    signer = getattr(getattr(outside.identity, "_signer", None), "_signer", None)
    return ways | ({} if signer is None else {"HttpSigner": signer._outgoing})


NAMES = {
    "TelegramGateway": "telegram",
    "UCaller": "ucaller",
    "SmsRu": "sms_ru",
    "SmsRuNotices": "sms_ru",
    "Esia": "esia",
    "HttpSigner": "esia_signer",
    "Oidc": "oidc",
    "FhirCards": "card_registry",
    "PwnedPasswords": "breached_passwords",
}
EVERYBODY = {
    "FLASH_CALL_PROVIDER": "ucaller, sms_ru",
    "NOTICE_PROVIDER": "sms_ru",
    "SMS_RU_BASE_URL": "https://sms.ru",
    "SMS_RU_API_ID": "an-id",
    "CARD_REGISTRY_URL": "https://cards.example.ru",
    "CARD_REGISTRY_TOKEN": "a-token",
    "BREACHED_PASSWORDS_URL": "https://pwned.example.ru",
    "OPERATOR_NAME": "Министерство",
}
ESIA = {
    "IDENTITY_PROVIDER": "esia",
    "ESIA_CLIENT_ID": "MEDONLINE",
    "ESIA_SIGNER_URL": "https://signer.example.ru",
    "ESIA_CERTIFICATE_HASH": "A" * 64,
}
OIDC = {
    "IDENTITY_PROVIDER": "oidc",
    "OIDC_ISSUER": "https://esia.example.ru",
    "OIDC_CLIENT_ID": "MEDONLINE",
    "OIDC_CLIENT_SECRET": "a-secret",
}


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, private: Authority):
    """How requests leave by these settings, for every adapter that there is."""

    def read(**changes: str) -> dict[str, Outgoing]:
        found: dict[str, Outgoing] = {}
        for identity in (
            OIDC,
            ESIA | {"ESIA_KEYS": str(demo_identity_keys(keys_of_this_process()).provider_certificate)},
        ):
            settings = SETTINGS | EVERYBODY | identity | {"DATA_DIR": str(tmp_path)} | changes
            with monkeypatch.context() as patched:
                for name, value in settings.items():
                    patched.setenv(f"MEDONLINE_{name}", value)
                found |= ways_of(build_outside(load_config(), Alarms(utc_now), MemoryLimitStore()))
        return {NAMES[name]: way for name, way in found.items()}

    return read


def test_every_vendor_has_the_general_settings(ways, private: Authority) -> None:
    found = ways(OUTGOING_PROXY="http://proxy.internal:3128", CA_FILE=str(private.root))

    assert {*found} == {*NAMES.values()}
    assert set(found.values()) == {Outgoing("http://proxy.internal:3128", private.root)}


@pytest.mark.parametrize("vendor", sorted({*NAMES.values()}))
def test_a_vendors_own_settings_win(ways, private: Authority, tmp_path: Path, vendor: str) -> None:
    own = authority(tmp_path / "own", "its own root").root
    found = ways(
        OUTGOING_PROXY="http://proxy.internal:3128",
        CA_FILE=str(private.root),
        **{f"{vendor.upper()}_PROXY": "http://own.internal:3128", f"{vendor.upper()}_CA_FILE": str(own)},
    )

    assert found.pop(vendor) == Outgoing("http://own.internal:3128", own)
    assert set(found.values()) == {Outgoing("http://proxy.internal:3128", private.root)}
    assert (
        ways(OUTGOING_PROXY="http://proxy.internal:3128", **{f"{vendor.upper()}_PROXY": "direct"})[vendor] == Outgoing()
    )


@pytest.mark.parametrize(
    "content", [None, "", "no certificate", "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----"]
)
@pytest.mark.parametrize("setting", ["CA_FILE", "UCALLER_CA_FILE"])
def test_a_file_that_is_none_is_refused_by_its_name(ways, tmp_path: Path, setting: str, content: str | None) -> None:
    file = tmp_path / "roots.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError) as refusal:
        ways(**{setting: str(file)})

    assert str(refusal.value).startswith(f"MEDONLINE_{setting} names {file}, which ")


@pytest.mark.parametrize(
    "proxy", ["proxy.internal:3128", "socks5://portal:hunter2secret@proxy", "http://", "http://p/x"]
)
@pytest.mark.parametrize("setting", ["OUTGOING_PROXY", "UCALLER_PROXY", "ESIA_SIGNER_PROXY"])
def test_what_is_no_proxy_is_refused_without_its_password(ways, setting: str, proxy: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        ways(**{setting: proxy})

    assert str(refusal.value).startswith(f"MEDONLINE_{setting}: is no proxy; ")
    assert "hunter2secret" not in str(refusal.value)
