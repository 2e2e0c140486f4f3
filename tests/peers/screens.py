"""Compare what a client shows with what its guest holds."""

from __future__ import annotations

from tests.peers.programs import Picture, eventually


def client_picture(client, folder) -> Picture:
    return Picture.from_bgrx(*client.picture(folder))


def assert_same_screen(guest, client, folder) -> Picture:
    """The client must come to show exactly what the guest holds."""
    seen = {}

    def same() -> bool:
        seen["guest"] = guest.machine.guest_picture(guest.shell)
        seen["client"] = client_picture(client, folder)
        return seen["guest"] == seen["client"]

    eventually("guest and client agree", same, patience=60)
    return seen["client"]
