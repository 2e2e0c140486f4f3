"""Memory that C keeps a pointer to for longer than one call.

cffi's ``from_buffer(memoryview)`` exports the view, and CPython's garbage collector must
not meet an exported view: clearing one drops what its deallocation needs, and the
process dies (seen on 3.11, at exit).  Whole devices do become cyclic garbage, so what is
held for long is the object below the view, an mmap or a bytearray.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_common._c import ffi

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from spice_common._native import CData

__all__ = ["Borrowed"]


class Borrowed:
    """Writable memory of somebody else's; keeps it mapped as long as this lives."""

    __slots__ = ("_owner", "pointer", "size")

    def __init__(self, memory: WriteableBuffer) -> None:
        """Pin *memory*.

        Raises:
            BufferError: it is read-only.

        """
        view = memoryview(memory)
        self._owner = ffi.from_buffer("uint8_t[]", view.obj, require_writable=True)
        with ffi.from_buffer("uint8_t[]", view, require_writable=True) as piece:
            self.pointer: CData = ffi.cast("uint8_t *", piece)
            """``uint8_t *``; good as long as this object lives."""
            self.size = len(piece)
            """Bytes."""
