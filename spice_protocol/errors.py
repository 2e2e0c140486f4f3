"""What can be wrong with bytes that a peer or a guest sent.

::

    ProtocolError
    ├── TruncatedError       the bytes end before the structure does
    ├── InvalidValueError    a field holds a value the specification does not allow
    └── LimitExceededError   a length or count is above our bound for it

All three are the sender's fault.  A value of ours that does not fit its field is a
``ValueError``, because that is a programming mistake.
"""

from __future__ import annotations

__all__ = [
    "InvalidValueError",
    "LimitExceededError",
    "ProtocolError",
    "TruncatedError",
]


class ProtocolError(Exception):
    """The sender broke the protocol; the text says where."""


class TruncatedError(ProtocolError):
    """A structure reaches beyond the end of its bytes."""


class InvalidValueError(ProtocolError):
    """A field holds a value that the specification does not allow."""


class LimitExceededError(ProtocolError):
    """A length or a count is above the bound set for it."""
