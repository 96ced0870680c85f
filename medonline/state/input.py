"""What every handler starts with: who is asking, and what they really sent.

Anyone can call any handler in any order with any payload; annotations are not enforced. So the browser is known by the
server's own socket id, and a field of a form is a text of bounded length or nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.errors import MedonlineError
from medonline.framework.states import socket_of
from medonline.state.socket_server import sockets
from medonline.web.sockets.server import UNKNOWN_VISITOR, Visitor
from medonline.wording.errors import sentence
from medonline.wording.regions import ONLY_REGION, Help

log = logging.getLogger(__name__)

MAX_FIELD = 4096
MAX_PAGE = 40  # characters; the page's script makes about ten
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")  # no database takes NUL, no encoding half a character


def visitor_of(state: rx.State) -> Visitor:
    """The browser behind this event."""
    sid = socket_of(state)
    return sockets.visitor(sid) if sid else UNKNOWN_VISITOR


def text_field(form: object, name: str) -> str:
    """A field of a submitted form; empty when it is missing, no text, or longer than any honest value."""
    value = form.get(name) if isinstance(form, Mapping) else None
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_FIELD or _UNUSABLE.search(value):
        log.warning("A field that is no plain text was refused")
        return ""
    return value


def page_of(form: object) -> str:
    """Which load of the page sent the form: only that load posts the ticket that it asked for (`browser/portal/tickets.js`)."""
    return text_field(form, "page")[:MAX_PAGE]


def is_checked(form: object, name: str) -> bool:
    """Whether a checkbox of a submitted form is ticked; anything a browser does not send for one is not."""
    value = form.get(name) if isinstance(form, Mapping) else None
    return value is True or value == "on"


def help_of(state: rx.State) -> Help:
    """Whom the sentences of this visitor's region may name."""
    region = portal().config.region(visitor_of(state).region_code) or ONLY_REGION
    return Help(region.desk, portal().outside.identity is not None)


def said(state: rx.State, error: MedonlineError) -> str:
    """The sentence for a refusal, with clock times as on the patient's wall."""
    return sentence(error, portal().config.zone, help_of(state))


def query_of(state: rx.State, name: str) -> str:
    """A parameter of the page's address: a short word of small letters, or nothing."""
    value = state.router.url.query_parameters.get(name, "")
    return value if isinstance(value, str) and re.fullmatch("[a-z_]{1,30}", value) else ""
