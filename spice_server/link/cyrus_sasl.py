"""Cyrus SASL, the library that libspice-server uses: libsasl2 through ctypes.

It is configured as for QEMU: ``qemu.conf`` in ``/etc/sasl2`` or in ``$SASL_CONF_PATH``,
service ``spice``.  The library keeps its state for the whole process and locks nothing
by itself, so all logins take turns in one thread.
"""

from __future__ import annotations

import ctypes
import functools
import struct
from typing import TYPE_CHECKING, Final

from spice_server.errors import ClientError, OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.channel.pipe import Buffer

__all__ = ["CyrusSasl", "SaslConnection", "SaslError", "cyrus_sasl"]

LIBRARY: Final = "libsasl2.so.2"
SERVICE: Final = b"spice"
CONFIGURATION: Final = b"qemu"
"""Name of the file under ``/etc/sasl2``: the one that QEMU has."""

MIN_SSF: Final = 56
"""Strength that a login without TLS must give the connection: stock's, and what
spice-gtk asks for."""
MAX_SSF: Final = 100000
TLS_SSF: Final = 128
"""Strength that we ascribe to TLS: no cipher of 1.2 that OpenSSL allows has less."""
MAX_BUFFER: Final = 8192
"""Bytes that we take in one packet of a security layer, as stock."""

# sasl.h
_OK, _CONTINUE = 0, 1
_SUCCESS_DATA = 4
_USERNAME, _SSF, _MAXOUTBUF = 0, 1, 2
_SSF_EXTERNAL, _SEC_PROPS = 100, 101
_NOPLAINTEXT, _NOANONYMOUS = 0x1, 0x10


_SECURITY_PROPERTIES: Final = struct.Struct("4I2P")
"""``sasl_security_properties_t``: smallest and largest strength, size of packets,
flags, and properties that we have none of."""


class SaslError(ClientError):
    """A login that failed, or bytes that do not decode."""


@functools.cache
def cyrus_sasl() -> CyrusSasl:
    """Return the library, ready for servers.

    Raises:
        OperatorError: it is not installed, or its configuration cannot be read.

    """
    return CyrusSasl()


class CyrusSasl:
    """The library."""

    def __init__(self) -> None:
        """Load and initialize it.

        Raises:
            OperatorError: it is not installed, or its configuration cannot be read.

        """
        try:
            library = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise OperatorError(f"SASL needs {LIBRARY}: {error}") from error
        pointer, size = ctypes.c_void_p, ctypes.c_uint
        text, texts = ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p)
        out, sizes = ctypes.POINTER(pointer), ctypes.POINTER(size)

        def function(name: str, *arguments: type) -> Callable[..., int]:
            found = library[name]
            found.argtypes, found.restype = arguments, ctypes.c_int
            return found

        self.set_property = function("sasl_setprop", pointer, ctypes.c_int, pointer)
        self.get_property = function("sasl_getprop", pointer, ctypes.c_int, out)
        self.list_mechanisms = function(
            "sasl_listmech",
            *(pointer, text, text, text, text, texts, sizes),
            ctypes.POINTER(ctypes.c_int),
        )
        self.new = function(
            "sasl_server_new", *(text, text, text, text, text), pointer, size, out
        )
        self.start = function(
            "sasl_server_start", pointer, text, text, size, out, sizes
        )
        self.step = function("sasl_server_step", pointer, text, size, out, sizes)
        self.encode = function("sasl_encode", pointer, text, size, out, sizes)
        self.decode = function("sasl_decode", pointer, text, size, out, sizes)
        self.dispose = library.sasl_dispose
        self.dispose.argtypes, self.dispose.restype = (out,), None
        self._describe = library.sasl_errdetail
        self._describe.argtypes, self._describe.restype = (pointer,), text
        self._name = library.sasl_errstring
        self._name.argtypes, self._name.restype = (ctypes.c_int, text, pointer), text
        result = function("sasl_server_init", pointer, text)(None, CONFIGURATION)
        if result != _OK:
            raise OperatorError(f"SASL cannot be used: {self.name_of(result)}")

    def name_of(self, result: int) -> str:
        """Return what a result code means."""
        return _text(self._name(result, None, None))

    def describe(self, connection: ctypes.c_void_p) -> str:
        """Return why the last call for *connection* failed."""
        return _text(self._describe(connection))


def _text(data: bytes | None) -> str:
    return (data or b"").decode(errors="replace")


class SaslConnection:
    """One client's login, then maybe the security layer around its bytes.

    One thread at a time.
    """

    def __init__(
        self, library: CyrusSasl, local: str | None, peer: str | None, *, tls: bool
    ) -> None:
        """Begin a login.

        Args:
            library: the library.
            local: our address and port, ``192.0.2.1;5930``; ``None``: it has none.
            peer: the client's.
            tls: TLS protects the bytes; SASL then need not, and does not.

        Raises:
            SaslError: the library refuses.

        """
        self._connection = ctypes.c_void_p()
        self._library = library
        addresses = [None if a is None else a.encode() for a in (local, peer)]
        result = library.new(
            *(SERVICE, None, None, *addresses),
            *(None, _SUCCESS_DATA, ctypes.byref(self._connection)),
        )
        if result != _OK:
            raise SaslError(f"SASL: {library.name_of(result)}")
        self._needs_layer = not tls
        if tls:
            self._set(_SSF_EXTERNAL, struct.pack("I", TLS_SSF))
            properties = (0, 0, MAX_BUFFER, 0)
        else:
            properties = (MIN_SSF, MAX_SSF, MAX_BUFFER, _NOPLAINTEXT | _NOANONYMOUS)
        self._set(_SEC_PROPS, _SECURITY_PROPERTIES.pack(*properties, 0, 0))

    def __del__(self) -> None:
        if self._connection.value:
            self._library.dispose(ctypes.byref(self._connection))

    def _set(self, number: int, value: bytes) -> None:
        buffer = ctypes.create_string_buffer(value)
        self._check(self._library.set_property(self._connection, number, buffer))

    def _check(self, result: int) -> None:
        if result not in {_OK, _CONTINUE}:
            raise SaslError(f"SASL: {self._library.describe(self._connection)}")

    def mechanisms(self) -> tuple[str, ...]:
        """Return what the client may choose from.

        Raises:
            SaslError: nothing is configured that would be safe here.

        """
        names = ctypes.c_char_p()
        result = self._library.list_mechanisms(
            *(self._connection, None, b"", b",", b""),
            *(ctypes.byref(names), None, None),
        )
        self._check(result)
        return tuple(_text(names.value).split(","))

    def step(self, mechanism: str | None, data: bytes | None) -> tuple[bytes, bool]:
        """Do a step, the first with its *mechanism*; return our part, and if it is over.

        Raises:
            SaslError: the login failed.

        """
        library, out, size = self._library, ctypes.c_void_p(), ctypes.c_uint()
        answer = (ctypes.byref(out), ctypes.byref(size))
        given = (data, len(data or b""))
        if mechanism is not None:
            name = mechanism.encode()
            result = library.start(self._connection, name, *given, *answer)
        else:
            result = library.step(self._connection, *given, *answer)
        self._check(result)
        complete = result == _OK
        if complete and self._needs_layer and self._number(_SSF) < MIN_SSF:
            raise SaslError("SASL: the login protects the connection too weakly")
        return _bytes(out, size), complete

    @property
    def has_layer(self) -> bool:
        """Whether the bytes after the login must be encoded; it is over and went well."""
        return self._needs_layer and self._number(_SSF) > 0

    @property
    def user(self) -> str:
        """Who logged in."""
        value = ctypes.c_void_p()
        self._library.get_property(self._connection, _USERNAME, ctypes.byref(value))
        return _text(ctypes.string_at(value.value)) if value.value else ""

    def _number(self, name: int) -> int:
        value = ctypes.c_void_p()
        self._check(
            self._library.get_property(self._connection, name, ctypes.byref(value))
        )
        return ctypes.c_uint.from_address(value.value).value if value.value else 0

    def encode(self, data: Buffer) -> list[bytes]:
        """Return the packets that carry *data*.

        Raises:
            SaslError: they cannot be made.

        """
        most = max(self._number(_MAXOUTBUF), 1)
        plain = bytes(data)
        return [
            self._recode(self._library.encode, plain[start : start + most])
            for start in range(0, len(plain), most)
        ]

    def decode(self, data: bytes) -> bytes:
        """Return what the packets in *data* carry; an incomplete one is kept.

        Raises:
            SaslError: they are not what the client may send.

        """
        return self._recode(self._library.decode, data)

    def _recode(self, function: Callable[..., int], data: bytes) -> bytes:
        out, size = ctypes.c_void_p(), ctypes.c_uint()
        result = function(
            *(self._connection, data, len(data)), ctypes.byref(out), ctypes.byref(size)
        )
        self._check(result)
        return _bytes(out, size)


def _bytes(out: ctypes.c_void_p, size: ctypes.c_uint) -> bytes:
    return ctypes.string_at(out.value, size.value) if out.value else b""
