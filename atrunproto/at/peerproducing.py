"""
The producer of an online spell: the transport below holds it back, as long as it may write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class OnlineProducer:
    """
    Room for one producer of the spell's protocol.

    (empty) C{register}: -> registered.
    (registered) C{hold}: paused -> held. C{unregister}, C{stop}, C{forget}: -> empty.
    (held) C{release}: resumed -> registered. C{unregister}, C{stop}, C{forget}: -> empty.
    """

    __slots__ = ("_producer", "_streaming", "_tell", "_transport")

    def __init__(self, transport: Any, tell: Callable[..., None]) -> None:
        """
        @param transport: what the spell sits on.
        @param tell: calls the user's code.
        """
        self._transport = transport
        self._tell = tell
        self._producer: Any = None
        self._streaming = False

    @property
    def pulls(self) -> bool:
        """
        Whether there is a pull producer, which has more to write.
        """
        return self._producer is not None and not self._streaming

    def register(self, producer: Any, streaming: bool) -> None:
        """
        Let a producer hear how much is taken.

        @raise RuntimeError: there is one already.
        """
        if self._producer is not None:
            raise RuntimeError("a producer is registered already")
        # a pull producer may be asked, and end, inside the call
        self._producer, self._streaming = producer, streaming
        self._transport.registerProducer(producer, streaming)

    def unregister(self) -> bool:
        """
        The producer has no more to write; tell whether there was one.
        """
        producer, self._producer = self._producer, None
        if producer is not None:
            self._transport.unregisterProducer()
        return producer is not None

    def hold(self) -> None:
        """
        Nothing is to be written for a while.
        """
        if self._producer is not None:
            self._transport.unregisterProducer()
            self._tell(self._producer.pauseProducing)

    def release(self) -> None:
        """
        Things go on.
        """
        if self._producer is not None:
            self._transport.registerProducer(self._producer, self._streaming)
            self._tell(self._producer.resumeProducing)

    def stop(self) -> None:
        """
        Nothing more can be written.
        """
        producer = self._producer
        if self.unregister():
            self._tell(producer.stopProducing)

    def forget(self) -> None:
        """
        The transport is gone, and has stopped the producer.
        """
        self._producer = None
