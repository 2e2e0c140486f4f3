"""What a channel sent to all its clients."""

from __future__ import annotations

import asyncio
import socket

import pytest

from spice_protocol.enums import ChannelType
from spice_server.channel.channel import Channel, Traffic
from spice_server.channel.channel_client import ChannelClient
from spice_server.channel.connection import Connection
from spice_server.channel.link_info import LinkInfo
from vd_interfaces.control import SpiceEndpoint

pytestmark = pytest.mark.asyncio

HERE = SpiceEndpoint("127.0.0.1", "1", "ipv4")


class Greeting(ChannelClient):
    """Sends five bytes to whom it meets."""

    def greet(self) -> None:
        self.send(101, b"hello")


class Channels(Channel):
    type = ChannelType.PORT

    def create_client(self, connection, link):
        return Greeting(connection, link)


async def test_clients_that_are_gone_count():
    channel = Channels()
    gone = asyncio.Queue()
    channel.register(asyncio.get_running_loop(), gone.put_nowait)
    theirs = []
    for session in (1, 2):
        ours, peer = socket.socketpair()
        theirs.append(peer)
        link = LinkInfo(session, ChannelType.PORT, 0, (), (), True, tls=False)
        channel.connect(Connection(ours, HERE, HERE), link)
    assert channel.traffic() == Traffic()
    await asyncio.sleep(0)
    assert channel.traffic() == Traffic(bytes=2 * 11, messages=2)
    for session in (1, 2):
        channel.disconnect(session)
        assert (await gone.get()).session_id == session
    assert not channel.clients
    assert channel.traffic() == Traffic(bytes=2 * 11, messages=2)
    for peer in theirs:
        peer.close()
