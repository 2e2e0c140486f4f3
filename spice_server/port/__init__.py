"""Channels that pass a guest's byte stream through: port, webdav, usbredir, smartcard."""
