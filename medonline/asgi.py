"""What the server runs: the Reflex app behind the boundary. So no answer leaves without passing the boundary."""

from __future__ import annotations

from starlette.types import ASGIApp

from medonline.bootstrap import portal
from medonline.bootstrap.traces import start_traces
from medonline.frontend import BUILT
from medonline.medonline import app as pages
from medonline.web.edge.boundary import Boundary
from medonline.web.edge.content_security import PagePolicies
from medonline.web.edge.request_ids import RequestIds
from medonline.web.edge.traces import Traced
from medonline.web.sockets.gate import SocketGate


def app() -> ASGIApp:
    """Make the application in the server's process."""
    end_traces = start_traces(portal().config)
    if end_traces is not None:
        portal().at_close.append(end_traces)
    return RequestIds(
        Traced(Boundary(SocketGate(pages()), PagePolicies.of_bundle(BUILT))), portal().config.trusted_proxy_hops
    )
