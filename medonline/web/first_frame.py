"""What the server knows of a browser when it sends a page, so that the first frame is right before any script runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from medonline.bootstrap import portal
from medonline.web.cookies import region_code_in


@dataclass(frozen=True, slots=True)
class Known:
    """For one page and one browser. Few different ones may exist: each is compressed and kept (`web.documents`).

    Attributes:
        root: attributes of `<html>`, name and value.
        texts: texts and addresses by the name that an element bears in `data-known` or `data-known-href`.
        shown: whether elements with this name in `data-shown-if` are shown.
    """

    root: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    shown: tuple[tuple[str, bool], ...] = ()


def known_of(cookies: Mapping[str, str]) -> Known:
    """What the cookies of a browser tell. Each value comes from a list of the portal's own: never a cookie's own text."""
    config = portal().config
    region = config.region(region_code_in(cookies))
    if region is None:  # as `AccountState._show_region`: before the choice no region's own texts are shown
        return Known(_root(cookies))
    name = region.name if len(config.regions) > 1 else ""
    return Known(
        _root(cookies),
        texts=(
            ("desk", region.desk),
            ("support_phone", region.support_phone),
            ("support_tel", region.support_tel),
            ("booking_url", region.booking_url),
            ("region_name", name),
        ),
        shown=(
            ("support_phone", region.support_phone != ""),
            ("booking", region.booking_url != ""),
            ("no_booking", region.booking_url == ""),
            ("region_name", name != ""),
        ),
    )


def _root(_cookies: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return ()
