"""Who is connected: sessions, their links, and the events that tell of both."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spice_protocol.enums import ChannelType
from vd_interfaces.control import ChannelEvent, ChannelEventKind, SpiceChannel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spice_server.channel.channel import Channel
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from vd_interfaces.control import SpiceEndpoint

__all__ = ["LinkRecord", "Session", "SessionTable"]

LinkKey = tuple[int, int, int]
"""Session id, channel type, channel id."""

_log = logging.getLogger(__name__)


def _key(link: LinkInfo) -> LinkKey:
    return link.session_id, link.channel_type, link.channel_id


@dataclass(slots=True)
class LinkRecord:
    """One link that is up, or whose end is not known yet."""

    link: LinkInfo
    channel: Channel
    local: SpiceEndpoint
    peer: SpiceEndpoint

    def describe(self) -> SpiceChannel:
        """Return what QAPI tells of it."""
        return SpiceChannel(
            client=self.peer,
            connection_id=self.link.session_id,
            channel_type=self.link.channel_type,
            channel_id=self.link.channel_id,
            tls=self.link.tls,
        )


@dataclass(slots=True)
class Session:
    """One client with all its channels."""

    id: int
    links: dict[LinkKey, LinkRecord] = field(default_factory=dict)
    """In the order they were linked; main is the first."""


class SessionTable:
    """All sessions and links of a server; main thread only."""

    def __init__(self, auth: str) -> None:
        self.auth = auth
        """How clients get in, in QMP's words."""
        self._sessions: dict[int, Session] = {}
        self._links: dict[LinkKey, LinkRecord] = {}
        self._observers: list[Callable[[ChannelEvent], None]] = []

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, session_id: int) -> Session | None:
        """Return a session that has not ended."""
        return self._sessions.get(session_id)

    @property
    def links(self) -> list[LinkRecord]:
        """Every link in the order they were made."""
        return list(self._links.values())

    def new_id(self) -> int:
        """Return a connection id nobody has and nobody can guess."""
        taken = self._sessions.keys() | {key[0] for key in self._links}
        while (candidate := secrets.randbits(32)) in taken or not candidate:
            pass
        return candidate

    # -- links -----------------------------------------------------------------

    def add(self, link: LinkInfo, channel: Channel, connection: Connection) -> bool:
        """Add an authenticated link; False if its session is gone or has it already.

        The link of a main channel makes the session.
        """
        key = _key(link)
        if link.channel_type == ChannelType.MAIN:
            self._sessions[link.session_id] = Session(link.session_id)
        session = self._sessions.get(link.session_id)
        if session is None or key in self._links:
            return False
        record = LinkRecord(link, channel, connection.local, connection.peer)
        session.links[key] = record
        self._links[key] = record
        kind = ChannelEventKind.INITIALIZED
        self._emit(kind, connection.local, connection.peer, record.describe())
        return True

    def closed(self, link: LinkInfo) -> None:
        """Forget a link; the end of a main channel is the end of its session."""
        record = self._links.pop(_key(link), None)
        if record is None:
            return
        session = self._sessions.get(link.session_id)
        if session is not None:
            session.links.pop(_key(link), None)
            if link.channel_type == ChannelType.MAIN:
                self.end(session)
        self._emit(ChannelEventKind.DISCONNECTED, record.local, record.peer)

    def end(self, session: Session) -> None:
        """Close every link of a session; their end follows as each is closed."""
        if self._sessions.pop(session.id, None) is None:
            return
        _log.info("client %#x: session ends", session.id)
        for record in session.links.values():
            record.channel.disconnect(session.id)

    def end_all(self) -> None:
        """Close every session."""
        for session in list(self._sessions.values()):
            self.end(session)

    # -- events ----------------------------------------------------------------

    def on_event(self, callback: Callable[[ChannelEvent], None]) -> None:
        """Call *callback* for every event from now on."""
        self._observers.append(callback)

    def connected(self, connection: Connection) -> None:
        """Tell of a connection that was accepted."""
        self._emit(ChannelEventKind.CONNECTED, connection.local, connection.peer)

    def disconnected(self, connection: Connection) -> None:
        """Tell of the end of a connection that is no link."""
        self._emit(ChannelEventKind.DISCONNECTED, connection.local, connection.peer)

    def _emit(
        self,
        kind: ChannelEventKind,
        local: SpiceEndpoint,
        peer: SpiceEndpoint,
        channel: SpiceChannel | None = None,
    ) -> None:
        event = ChannelEvent(kind, local, peer, self.auth, channel)
        for callback in self._observers:
            callback(event)
