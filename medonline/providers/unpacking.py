"""Reads the bytes of an answer, compressed or not."""

from __future__ import annotations

import zlib


class TooLarge(Exception):
    """The answer has more bytes than allowed."""


class Unpacked:
    """The bytes of an answer, unpacked as they arrive and never over the limit: a gzip of a few KB may hold gigabytes."""

    def __init__(self, limit: int, *, packed: bool) -> None:
        self._limit = limit
        self._body = bytearray()
        self._packed = packed
        self._member = _gunzip() if packed else None

    def take(self, chunk: bytes) -> None:
        """Take the next part as it came.

        Raises:
            TooLarge: the bytes are over the limit. Nothing more is unpacked.
            zlib.error: the bytes are no gzip.
        """
        if self._member is None:
            self._keep(chunk)
            return
        while chunk:
            if self._member.eof:  # a gzip may have several members
                self._member = _gunzip()
            self._keep(self._member.decompress(chunk, self._limit - len(self._body) + 1))
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    def whole(self) -> bytes:
        """The whole answer.

        Raises:
            zlib.error: the gzip was cut short.
        """
        if self._packed and self._body and not (self._member is not None and self._member.eof):
            raise zlib.error("cut short")
        return bytes(self._body)

    def _keep(self, part: bytes) -> None:
        self._body += part
        if len(self._body) > self._limit:
            raise TooLarge


def _gunzip() -> zlib._Decompress:
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
