"""
How a module finds the address of a host: by its own cache, the name servers of #DNS, or those of the network.

Source: reference 6.2.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.abstract import isIPAddress
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IReactorTime
from twisted.names import dns
from twisted.names.client import Resolver
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from .module import EmulatedModule

#: what stands for a name server that isn't set
UNSET = "0.0.0.0"
#: entries of #CACHEDNS
CACHED = 8
#: seconds that each name server has for its answer, in a round over all of them (A)
PATIENCE = (2, 4)
#: seconds that a whole search may take, whatever the servers do (A)
LONGEST = 30.0
#: seconds that an address is good for when nobody says how long it is (A)
UNTOLD = 60.0


class Found(NamedTuple):
    """
    The address of a host, and for how many seconds it is good.
    """

    address: str
    lasts: float = UNTOLD


class _Timed:
    """
    The sockets of a reactor, by the time of a clock.
    """

    def __init__(self, reactor: Any, clock: IReactorTime) -> None:
        self.callLater = clock.callLater
        self.seconds = clock.seconds
        self.listenUDP = reactor.listenUDP
        self.connectTCP = reactor.connectTCP


def ask(reactor: Any, clock: IReactorTime, servers: Sequence[str], port: int, name: str) -> Deferred[Found]:
    """
    Ask name servers, each when the ones before it don't answer.

    @param reactor: where sockets are made.
    @param clock: by which the servers are waited for.
    @param servers: their addresses, the first to be asked first.
    @return: fails with C{DNSLookupError}: none answers, or there is no such host.
    """
    resolver = Resolver(
        servers=[(server, port) for server in servers], timeout=PATIENCE, reactor=_Timed(reactor, clock)
    )

    def told(answer: tuple[Sequence[Any], Sequence[Any], Sequence[Any]]) -> Found:
        records = [record for record in answer[0] if record.type in (dns.A, dns.CNAME)]
        addresses = [record.payload.dottedQuad() for record in records if record.type == dns.A]
        if not addresses:
            raise DNSLookupError(name)
        return Found(addresses[0], min(record.ttl for record in records))

    def failed(failure: Failure) -> Found:
        if failure.check(CancelledError):
            failure.raiseException()
        raise DNSLookupError(name) from failure.value

    def over(result: Any) -> Any:
        # an answer that is too long for UDP has come by a connection
        for connection in list(resolver.connections):
            connection.transport.loseConnection()
        return result

    found: Deferred[Any] = maybeDeferred(resolver.lookupAddress, name)
    found.addTimeout(LONGEST, clock).addBoth(over)
    return found.addCallback(told).addErrback(failed)


class Names:
    """
    The names that one module asks for.
    """

    __slots__ = ("_cache", "_module")

    def __init__(self, module: EmulatedModule) -> None:
        self._module = module
        # the one used last stands last
        self._cache: OrderedDict[str, tuple[str, float]] | None = None

    def servers(self, cid: int) -> list[str]:
        """
        The name servers of #DNS for a context; none: those of the network serve.
        """
        settings = self._module.settings
        return [server for server in settings.get("#DNS", cid) if server != UNSET] if settings.has("#DNS") else []

    @property
    def given(self) -> list[str]:
        """
        The name servers that the network gives.
        """
        return self._module.network.nameservers

    def resolve(self, name: str, cid: int) -> Deferred[str]:
        """
        The address of a host as it is seen through a context; fails with C{DNSLookupError}.
        """
        if isIPAddress(name):
            return succeed(name)
        known = self._known(name.lower())
        if known is not None:
            return succeed(known)
        network, servers = self._module.network, self.servers(cid)
        if servers:
            found = network.askServers(servers, name)
        else:
            found = network.lookUp(name)
        return found.addCallback(self._learn, name.lower())

    # -- the cache

    @property
    def cached(self) -> list[tuple[str, str]]:
        """
        The names in the cache that still hold, with their addresses.
        """
        now = self._module.clock.seconds()
        return [(name, address) for name, (address, end) in (self._cache or {}).items() if end > now]

    def clear(self) -> None:
        """
        Forget all names.
        """
        self._cache = None

    powerOff = clear

    def _known(self, name: str) -> str | None:
        if self._cache is None or name not in self._cache:
            return None
        address, end = self._cache[name]
        if end <= self._module.clock.seconds():
            del self._cache[name]
            return None
        self._cache.move_to_end(name)
        return address

    def _learn(self, found: Found, name: str) -> str:
        settings = self._module.settings
        if settings.has("#CACHEDNS") and settings.value("#CACHEDNS"):
            cache = self._cache = OrderedDict() if self._cache is None else self._cache
            cache[name] = (found.address, self._module.clock.seconds() + found.lasts)
            cache.move_to_end(name)
            if len(cache) > CACHED:
                cache.popitem(last=False)
        return found.address
