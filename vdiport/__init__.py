"""The VDI port: the guest agent's side of the server."""
