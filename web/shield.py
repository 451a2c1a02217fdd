"""ASGI layers around every answer: a limit on request bodies, and headers that keep pages to themselves."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tools.domain.errors import BadInput
from web.errors import TooLarge, error_response

CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
)
"""Nothing from elsewhere. The page framework compiles its templates in the page, hence 'unsafe-eval'."""


class BodyLimit:
    """Answers 413 to a request to the API whose announced body is beyond the limit, and stops unannounced ones."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, counting."""
        if scope["type"] != "http" or not str(scope["path"]).startswith("/api"):
            await self._app(scope, receive, send)
            return
        error = TooLarge(f"The body is larger than {self._limit} bytes.", remedy="Send less at once.")
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > self._limit:
            await error_response(error)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise error
            return message

        async def told(message: Message) -> None:
            """Whatever the app makes of the cut body, the answer says that it was too large."""
            if seen <= self._limit:
                await send(message)
            elif message["type"] == "http.response.start":
                await error_response(error)(scope, receive, send)

        await self._app(scope, counted, told)


class PlainAddress:
    """Answers 400 to an address with a NUL, which no database can look for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what can be looked for."""
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            where = "path" if "\0" in scope["path"] else "query"
            error = BadInput(f"The address holds a NUL in its {where}.", remedy="Leave %00 out.")
            await error_response(error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class PrivatePages:
    """Adds headers that forbid framing, sniffing, referrers and anything from another origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, adding headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("content-security-policy", CONTENT_POLICY)
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "no-referrer")
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
