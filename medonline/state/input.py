"""What every handler needs first: who is asking, and what they really sent.

Anyone can call any handler in any order with any payload, and Reflex does not enforce annotations. So the server finds the browser by
its own socket id, and a form's field is a text of bounded length or nothing.
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
MAX_PAGE = 40  # characters; the page's script uses about ten
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")  # databases refuse NUL, and encodings refuse half a surrogate pair


def visitor_of(state: rx.State) -> Visitor:
    """The browser behind this event."""
    sid = socket_of(state)
    return sockets.visitor(sid) if sid else UNKNOWN_VISITOR


def text_field(form: object, name: str) -> str:
    """A field of a submitted form. Empty when it is missing, not a text, or longer than any honest value."""
    value = form.get(name) if isinstance(form, Mapping) else None
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_FIELD or _UNUSABLE.search(value):
        log.warning("A field that is no plain text was refused")
        return ""
    return value


def page_of(form: object) -> str:
    """The name of the page load that sent the form. Only that load posts the ticket that it asked for (`browser/portal/tickets.js`)."""
    return text_field(form, "page")[:MAX_PAGE]


def is_checked(form: object, name: str) -> bool:
    """Whether a checkbox of a submitted form is ticked. False for any value that a browser does not send for a ticked box."""
    value = form.get(name) if isinstance(form, Mapping) else None
    return value is True or value == "on"


def help_of(state: rx.State) -> Help:
    """The contacts of this visitor's region, which sentences may name."""
    region = portal().config.region(visitor_of(state).region_code) or ONLY_REGION
    return Help(region.desk, portal().outside.identity is not None)


def said(state: rx.State, error: MedonlineError) -> str:
    """The sentence for a refusal, with clock times in the installation's time zone."""
    return sentence(error, portal().config.zone, help_of(state))


def query_of(state: rx.State, name: str) -> str:
    """A parameter of the page's address: a short lower-case word, or empty."""
    value = state.router.url.query_parameters.get(name, "")
    return value if isinstance(value, str) and re.fullmatch("[a-z_]{1,30}", value) else ""
