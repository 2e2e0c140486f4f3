"""The only door to the compiled core: everybody else uses the wrappers beside it."""

from __future__ import annotations

from spice_common._native import ffi, lib

__all__ = ["ffi", "lib"]
