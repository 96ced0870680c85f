"""Runs the signing command of a crypto provider as a process. Its time and output are limited. It never outlives the call."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from medonline.domain.errors import IdentityProblem, IdentityRefused

_AT_ONCE = 64 * 1024  # bytes read at once of output that is thrown away


async def run_command(argv: list[str], typed: bytes, seconds: float, limit: int) -> bytes:
    """The command's output when `typed` is its standard input.

    No shell sees the arguments. After `seconds` the command is killed with all processes that it started.

    Raises:
        IdentityRefused: MISCONFIGURED (it cannot start, its exit code is not 0, it prints over `limit` bytes) or UNAVAILABLE (too slow).
    """
    # The command needs the environment (paths of a licence and of key containers), but none of the portal's secrets.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MEDONLINE_")}
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise _misconfigured(f"the signing command cannot be started ({type(error).__name__})") from None
    try:
        async with asyncio.timeout(seconds):
            printed = await _converse(process, typed, limit)
            exit_code = await process.wait()
    except TimeoutError:
        detail = f"the signing command took over {seconds:g} s"
        raise IdentityRefused(IdentityProblem.UNAVAILABLE, detail) from None
    finally:
        await _end(process)
    if exit_code != 0:
        raise _misconfigured(f"the signing command ended with exit code {exit_code}")
    return printed


async def _converse(process: asyncio.subprocess.Process, typed: bytes, limit: int) -> bytes:
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    # A command that does not read its input closes its end early. Its exit code says whether it worked.
    with contextlib.suppress(ConnectionError):
        process.stdin.write(typed)
        await process.stdin.drain()
    process.stdin.close()
    printed = bytearray()
    while len(printed) <= limit and (chunk := await process.stdout.read(limit + 1)):
        printed += chunk
    if len(printed) > limit:
        raise _misconfigured("the signing command printed too much for a signature")
    return bytes(printed)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the command and all processes that it started, if they still run, and wait for their end."""
    assert process.stdout is not None  # noqa: S101 - a pipe
    if process.returncode is None or not process.stdout.at_eof():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    # `wait` waits for the pipes as well, and a full pipe blocks until it is read. The limit of one second is for a child
    # that left the process group and keeps the pipe open: it must not keep a patient waiting.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            while await process.stdout.read(_AT_ONCE):
                pass
            await process.wait()


def _misconfigured(detail: str) -> IdentityRefused:
    return IdentityRefused(IdentityProblem.MISCONFIGURED, detail)
