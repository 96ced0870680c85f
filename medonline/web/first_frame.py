"""What the server knows about a browser when it sends a page. It makes the first frame right before any script runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from medonline.bootstrap import portal
from medonline.domain.low_vision import LowVision
from medonline.web.cookies import low_vision_in, region_code_in

LOW_VISION_STYLES = "/low_vision.css"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known for one page and one browser. Only few different values may exist, because `web.documents` compresses and keeps a
    page for each.

    Attributes:
        root: the names and values of attributes of `<html>`.
        texts: the name in an element's `data-known` or `data-known-href`, and its text or address.
        shown: the name in an element's `data-shown-if`, and whether the element is shown.
        styles: the addresses of stylesheets that come after all others.
    """

    root: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    shown: tuple[tuple[str, bool], ...] = ()
    styles: tuple[str, ...] = ()


def is_region_known(cookies: Mapping[str, str]) -> bool:
    """Whether the region is known: the visitor chose it, or there is only one."""
    return portal().config.region(region_code_in(cookies)) is not None


def known_of(cookies: Mapping[str, str]) -> Known:
    """What a browser's cookies tell. Each value comes from the portal's own settings, never from the text of a cookie."""
    config, seen = portal().config, as_seen_by(low_vision_in(cookies))
    region = config.region(region_code_in(cookies))
    # The operator is the same for all regions.
    operator = config.operator_name.strip()
    texts = (("operator", operator),)
    shown = (
        ("gosuslugi", portal().outside.identity is not None),
        ("registry", portal().outside.registry is not None),
        ("operator", operator != ""),
    )
    if region is None:  # before the choice no region's own texts are shown (the same as in `AccountState._show_region`)
        return replace(seen, texts=texts, shown=shown)
    name = region.name if len(config.regions) > 1 else ""
    return replace(
        seen,
        texts=(
            *texts,
            ("desk", region.desk),
            ("support_phone", region.support_phone),
            ("support_tel", region.support_tel),
            ("booking_url", region.booking_url),
            ("accessibility_email", region.accessibility_email),
            ("accessibility_mailto", f"mailto:{region.accessibility_email}"),
            ("data_policy", region.data_policy),
            ("region_name", name),
        ),
        shown=(
            *shown,
            ("support_phone", region.support_phone != ""),
            ("support_tel", region.support_tel != ""),
            ("support_undialled", region.support_tel == ""),
            ("booking", region.booking_url != ""),
            ("no_booking", region.booking_url == ""),
            ("accessibility_email", region.accessibility_email != ""),
            ("accessibility_desk", region.accessibility_email == ""),
            ("data_policy", region.data_policy != ""),
            ("region_name", name != ""),
        ),
    )


def as_seen_by(look: LowVision | None) -> Known:
    """The look of «Версия для слабовидящих» (docs/decisions/0027). The ordinary version has no marks."""
    if look is None:
        return Known()
    return Known(
        tuple((f"data-vision-{name}", word) for name, word in asdict(look).items()), styles=(LOW_VISION_STYLES,)
    )
