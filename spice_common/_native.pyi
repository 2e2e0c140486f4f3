from typing import Final, Protocol

from _cffi_backend import FFI
from cffi import FFI as _FFI

CData = _FFI.CData

# One section per header of native/include, in alphabetical order.
class _Lib(Protocol):
    # atomics.h
    def atomic_u32_load(self, word: CData, /) -> int: ...
    def atomic_u32_store(self, word: CData, value: int, /) -> None: ...
    def atomic_u32_exchange(self, word: CData, value: int, /) -> int: ...
    def atomic_u32_fetch_or(self, word: CData, bits: int, /) -> int: ...

ffi: Final[FFI]
lib: Final[_Lib]
