"""Reads a password for a command from a prompt or from standard input, never from the command line."""

from __future__ import annotations

import getpass
import sys

from medonline.cli.failures import Refused


def read_password(*, from_stdin: bool) -> str:
    """The first line of standard input, or a password typed twice at a prompt that does not show it.

    Raises:
        Refused: there is nobody to ask, nothing was entered, or the two differ.
    """
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("The same again: ") != password:
            raise Refused("The two passwords differ: nothing was done.")
    else:
        raise Refused("There is no terminal to ask for the password: pipe it in and say --password-stdin.")
    if not password:
        raise Refused("No password was given: nothing was done.")
    return password
