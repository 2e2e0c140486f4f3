"""The link stage: handshake, authentication, tickets."""
