"""The command `medonline doctor`: runs each check in order and says what to look at when one fails."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import click

from medonline.bootstrap import build_channels
from medonline.cli import options
from medonline.cli.checks import installation, links, vendors
from medonline.cli.checks.finding import Finding
from medonline.cli.options import as_json, mode
from medonline.cli.portal import refuse_an_empty_demo
from medonline.cli.running import settings_beside
from medonline.config.settings import Config
from medonline.domain.codes.channels import ChannelName
from medonline.logs.setup import set_up

_HINT = "docs/operations.md says what the setting means."
_VENDOR = (
    "DNS: look at the name in the address and at this machine's resolver. Refused, or no answer: the vendor's state, a firewall, "
    "an outgoing proxy. TLS: the machine's clock and certificates. 404: the address is another service's. Clock: NTP on this machine. "
    "A key that is not taken: compare it with the vendor's page of the account."
)
_HINTS = {
    "proxy": "docs/operations.md, TRUSTED_PROXY_HOPS: one for each proxy of your own that adds to X-Forwarded-For.",
    "demo": "Start it with `make run`, or work on production with its settings in the environment.",
    "key": "Make a key with `medonline keys new`, which also says how to change to it.",
    "key of the rows": "Compare with the place where the operator keeps the key; after a restored backup it is the key of that time.",
    "files": "Run the command that the line names, as the user who owns the file; or make the folder, and give it to that user.",
    "trusted roots": "Put the vendor's present root into the file, or take the setting out where its certificates are public ones.",
    "database": "Is the server up, and do host, port, user and password in MEDONLINE_DATABASE_URL fit? Try the same with psql.",
    "migrations": "Make a backup, then run what the line says.",
    "clock": "Switch time synchronisation (NTP) on, on both machines.",
    "limits": "Try the same address with redis-cli. While Redis does not answer, each process counts for itself.",
    **{channel.value: _VENDOR for channel in ChannelName},
    "notices": _VENDOR,
    "links in texts": "docs/operations.md, NOTICE_PROVIDER: what a text to a phone has room for.",
    "breached passwords": _VENDOR,
    "identity": _VENDOR,
    "cards": _VENDOR,
}


@click.command()
@click.option("--fix-hints", is_flag=True, help="Say below each failure what to look at.")
@as_json
@mode
def doctor(fix_hints: bool, as_json: bool) -> int:
    """Check settings, database, migrations, keys and each provider. Exit code 1 if a check fails. Sends nothing."""
    config = settings_beside(refuse_an_empty_demo)
    set_up("error")
    findings = asyncio.run(examine(config))
    if as_json:
        options.lines(map(asdict, findings))
    else:
        for finding in findings:
            click.echo(f"{finding.mark}  {finding.subject}: {finding.text}")
            if fix_hints and finding.mark != "ok  ":
                click.echo(f"      hint: {finding.hint or _HINTS.get(finding.subject, _HINT)}")
    return 0 if all(finding.good for finding in findings) else 1


async def examine(config: Config) -> list[Finding]:
    """Run every check, in the order of an operator's worries. It sends nothing and costs nothing."""
    findings = [
        installation.settings(config),
        *(Finding("proxy", False, doubt) for doubt in config.doubts),
        *installation.demo(config),
        installation.regions(config),
        installation.key(config),
        installation.files(config),
        *installation.trusted_roots(config),
        *await installation.database(config),
        await installation.limits(config),
    ]
    channels = build_channels(config)
    for name in ChannelName:
        findings += await vendors.code_channel(config, name, channels.get(name, ()))
    return [
        *findings,
        await vendors.identity(config),
        await vendors.cards(config),
        await vendors.notices(config),
        *links.in_texts(config),
        await vendors.mail_server(config),
        await vendors.breached_passwords(config),
        await vendors.traces(config),
    ]
