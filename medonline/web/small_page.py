"""A page that the server writes without the app, such as an error or a way out. It has the look that the patient chose."""

from __future__ import annotations

from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from medonline.web.cookies import cookie_value, low_vision_in
from medonline.web.documents import filled
from medonline.web.first_frame import as_seen_by


class SmallPage(HTMLResponse):
    """A page whose look is settled only when it is sent, because the browser is known only then."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page in the look that the browser's cookie names."""
        self.body = filled(bytes(self.body).decode(), as_seen_by(low_vision_in(cookie_value(scope)))).encode()
        self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)
