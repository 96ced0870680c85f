"""What the tests of several commands share."""

from __future__ import annotations

from collections.abc import Iterator

import click

from medonline.cli.main import medonline

WHY = ["--reason", "asked at the desk"]
ADD = [
    "accounts",
    "add",
    "--reason",
    "her own wish",
    "--password-stdin",
    "--last-name",
    "Орлова",
    "--first-name",
    "Анна",
]


def every_command(group: click.Group = medonline) -> Iterator[click.Command]:
    yield group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from every_command(command)
        else:
            yield command


def findings(out: str) -> dict[str, tuple[str, str]]:
    """subject -> (ok or FAIL, text)"""
    lines = [line.partition("  ") for line in out.splitlines()]
    return {
        subject: (mark.strip(), text.strip())
        for mark, _, rest in lines
        for subject, _, text in [rest.strip().partition(": ")]
    }
