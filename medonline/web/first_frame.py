"""What the server knows of a browser when it sends a page, so that the first frame is right before any script runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from medonline.bootstrap import portal
from medonline.domain.low_vision import LowVision
from medonline.web.cookies import low_vision_in, region_code_in

LOW_VISION_STYLES = "/low_vision.css"


@dataclass(frozen=True, slots=True)
class Known:
    """For one page and one browser. Few different ones may exist: each is compressed and kept (`web.documents`).

    Attributes:
        root: attributes of `<html>`, name and value.
        texts: texts and addresses by the name that an element bears in `data-known` or `data-known-href`.
        shown: whether elements with this name in `data-shown-if` are shown.
        styles: addresses of stylesheets, behind all others.
    """

    root: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    shown: tuple[tuple[str, bool], ...] = ()
    styles: tuple[str, ...] = ()


def is_region_known(cookies: Mapping[str, str]) -> bool:
    """Whether the region need not be asked for: it was chosen, or there is only one."""
    return portal().config.region(region_code_in(cookies)) is not None


def known_of(cookies: Mapping[str, str]) -> Known:
    """What the cookies of a browser tell. Each value comes from a list of the portal's own: never a cookie's own text."""
    config, seen = portal().config, as_seen_by(low_vision_in(cookies))
    region = config.region(region_code_in(cookies))
    # Of the installation, whichever region it is.
    operator = config.operator_name.strip()
    texts = (("operator", operator),)
    shown = (
        ("gosuslugi", portal().outside.identity is not None),
        ("registry", portal().outside.registry is not None),
        ("operator", operator != ""),
    )
    if region is None:  # as `AccountState._show_region`: before the choice no region's own texts are shown
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
    """The look of «Версия для слабовидящих» (docs/decisions/0027); nothing for the ordinary version."""
    if look is None:
        return Known()
    return Known(
        tuple((f"data-vision-{name}", word) for name, word in asdict(look).items()), styles=(LOW_VISION_STYLES,)
    )
