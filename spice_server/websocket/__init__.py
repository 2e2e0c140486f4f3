"""SPICE in WebSockets (RFC 6455), and the pages that speak it, on SPICE's own ports."""
