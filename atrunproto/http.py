"""
The little that HTTP with JSON needs on a bare L{twisted.web}: a route table, a token, bounded bodies, errors as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from io import BytesIO
from typing import Any, TypeVar, cast

import msgspec
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from atrunproto.secret import Secret, readSecret

_T = TypeVar("_T")
_N = TypeVar("_N", bound=float)

#: bytes of a request body that are taken; a job for MAX_MODULES modules, named one by one, needs 1.8 MB
MAX_BODY = 4 * 1024 * 1024
#: seconds for which a connection may be silent between requests or inside one
IDLE_SECONDS = 120


class Refusal(Exception):
    """
    A request that is answered by an error.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class Reply(msgspec.Struct, frozen=True):
    """
    An answer that is more than a body with status 200.
    """

    body: Any
    status: int = 200
    headers: dict[str, str] = {}


class Query:
    """
    The parameters of a request's URL.
    """

    def __init__(self, arguments: dict[bytes, list[bytes]], known: Sequence[str]) -> None:
        """
        @raise Refusal: if there is one that the route does not know.
        """
        self._arguments = {name.decode("utf-8", "replace"): values[-1] for name, values in arguments.items()}
        for name in self._arguments:
            if name not in known:
                expected = f"expected {', '.join(known)}" if known else "none is expected"
                raise Refusal(400, f"unknown parameter {name!r}: {expected}")

    def seconds(self, name: str, default: float, highest: float) -> float:
        """
        Read a number of seconds.
        """
        return self._number(name, default, highest, float, "a number of seconds")

    def whole(self, name: str, default: int, highest: int) -> int:
        """
        Read a whole number.
        """
        return self._number(name, default, highest, int, "a whole number")

    def _number(self, name: str, default: _N, highest: _N, read: Callable[[bytes], _N], what: str) -> _N:
        value = self._arguments.get(name)
        if value is None:
            return default
        try:
            number = read(value)
            if 0 <= number <= highest:
                return number
        except ValueError:
            pass
        raise Refusal(400, f"{name} is {what} from 0 to {highest:.16g}")


class Call:
    """
    One request, as a route sees it.
    """

    def __init__(self, request: Request, path: tuple[str, ...]) -> None:
        self._request = request
        #: what the groups of the route's pattern matched
        self.path = path

    def query(self, *known: str) -> Query:
        """
        Read the URL's parameters.
        """
        return Query(self._request.args or {}, known)

    def body(self, kind: type[_T]) -> _T:
        """
        Read the body as JSON of a given shape.

        @raise Refusal: with the place of the first error.
        """
        content = cast(_Body, self._request.content)
        if content.overflowed:
            raise Refusal(413, f"the body is longer than {content.limit} bytes")
        try:
            return msgspec.json.decode(content.getvalue(), type=kind, dec_hook=readSecret)
        except msgspec.ValidationError as error:
            raise Refusal(400, str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refusal(400, f"the body is not JSON: {error}") from None


#: what a route does: it gives a body, or a Reply, at once or later
Handler = Callable[[Call], Awaitable[object] | object]


class Route:
    """
    A method and a pattern for the whole path, and what answers them.
    """

    def __init__(self, method: str, pattern: str, handler: Handler, free: bool = False) -> None:
        """
        @param free: whether it needs no token.
        """
        self.method = method.encode("ascii")
        self.pattern = re.compile(pattern)
        self.handler = handler
        self.free = free


class Routes(Resource):
    """
    Answers requests by a table of routes.
    """

    isLeaf = True
    _log = Logger()

    def __init__(self, routes: Sequence[Route], token: Secret | None) -> None:
        """
        @param token: what callers must bring as C{Authorization: Bearer}; C{None}: nothing.
        """
        super().__init__()
        self._routes = routes
        self._token = token

    @property
    def table(self) -> Sequence[tuple[str, str]]:
        """
        Method and pattern of each route.
        """
        return [(route.method.decode("ascii"), route.pattern.pattern) for route in self._routes]

    def render(self, request: Request) -> int:
        """
        Answer a request, now or later.
        """
        answering = Deferred.fromCoroutine(self._answer(request))
        request.notifyFinish().addErrback(lambda _: answering.cancel())
        return NOT_DONE_YET

    async def _answer(self, request: Request) -> None:
        try:
            result = await self._call(request)
        except Refusal as refusal:
            result = Reply({"error": refusal.message}, refusal.status)
            if refusal.status == 401:
                result.headers["WWW-Authenticate"] = "Bearer"
        except CancelledError:
            # The caller has gone.
            return
        except Exception:
            self._log.failure("answering {method} {path}", method=request.method, path=request.path)
            result = Reply({"error": "an error of the program; see its log"}, 500)
        reply = result if isinstance(result, Reply) else Reply(result)
        request.setResponseCode(reply.status)
        request.setHeader("Content-Type", "application/json")
        request.setHeader("Cache-Control", "no-store")
        for name, value in reply.headers.items():
            request.setHeader(name, value)
        request.write(msgspec.json.encode(reply.body) + b"\n")
        request.finish()

    async def _call(self, request: Request) -> object:
        path = request.path.decode("utf-8", "replace")
        found = [(route, match) for route in self._routes if (match := route.pattern.fullmatch(path)) is not None]
        fitting = next(((route, match) for route, match in found if route.method == request.method), None)
        if fitting is None or not fitting[0].free:
            self._checkToken(request)
        if fitting is None:
            if not found:
                raise Refusal(404, f"there is nothing at {path}")
            raise Refusal(405, f"{path} takes {', '.join(route.method.decode() for route, _ in found)}")
        route, match = fitting
        result = route.handler(Call(request, match.groups()))
        return await result if isinstance(result, Awaitable) else result

    def _checkToken(self, request: Request) -> None:
        if self._token is None:
            return
        header = request.getHeader("Authorization") or ""
        scheme, _, offered = header.partition(" ")
        if scheme.lower() != "bearer" or not self._token.matches(offered.strip()):
            raise Refusal(401, "the token is missing or wrong: send it as 'Authorization: Bearer TOKEN'")


class _Body(BytesIO):
    """
    A request's body up to a length; what is beyond is thrown away.
    """

    overflowed = False

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > self.limit:
            self.overflowed = True
            return len(data)
        return super().write(data)


class JSONSite(Site):
    """
    A site with bounded bodies, which logs no more than what it refuses.
    """

    _log = Logger()
    noisy = False

    def __init__(self, resource: Resource, clock: IReactorTime, maxBody: int = MAX_BODY) -> None:
        """
        @param maxBody: bytes of a request's body that are taken.
        """
        super().__init__(resource, timeout=IDLE_SECONDS, reactor=clock)
        self.displayTracebacks = False
        self._maxBody = maxBody

    def getContentFile(self, length: int | None) -> BytesIO:
        """
        Make what a request's body is collected in.
        """
        return _Body(self._maxBody)

    def log(self, request: HTTPRequest) -> None:
        """
        Log a request that was refused.
        """
        if request.code >= 400:
            self._log.info(
                "{method} {path} from {peer} refused: {code}",
                method=request.method.decode("ascii", "replace"),
                path=request.path.decode("ascii", "replace"),
                peer=getattr(request.getClientAddress(), "host", "a local socket"),
                code=request.code,
            )
