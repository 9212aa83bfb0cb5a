"""TLS of one SIP connection, without a socket: octets of the wire in, octets of SIP out (RFC 3261 26.2.1, 26.3.1).

OpenSSL works on memory, so that a handshake waits for nobody: each piece that arrives moves it on by a step, on the event loop.
"""

import ssl
from collections.abc import Iterable
from typing import cast

_LARGEST = 65_536
_AUTHORITY_UNKNOWN = frozenset({2, 18, 19, 20, 21, 27})
_CERTIFICATE_FAULTS = {9: "its certificate is not valid yet", 10: "its certificate has expired", 23: "its certificate is revoked"}
_NAME_MISMATCH = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


class Sealed:
    """The TLS of one connection: of a client that called us, or (with `name`) towards a server that must prove to be it.

    `closed`: the other side will send no more. `feed` raises OSError (ssl.SSLError is one); what is `outgoing` then is the
    alert that says why.
    """

    def __init__(self, secure: ssl.SSLContext, name: str = "") -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = secure.wrap_bio(self._in, self._out, server_side=not name, server_hostname=name or None)
        self._waiting = bytearray()  # SIP that is to go out once the handshake is done
        self.ready = False
        self.closed = False

    def feed(self, data: bytes) -> bytes:
        """Octets of the wire (none begins a handshake of ours); the SIP that they hold."""
        self._in.write(data)
        if not self.ready:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                return b""
            self.ready = True
            waiting, self._waiting = self._waiting, bytearray()
            self.seal(waiting)
        return self._read()

    def _read(self) -> bytes:
        pieces = []
        try:
            while piece := self._tls.read(_LARGEST):
                pieces.append(piece)
            self.closed = True
        except ssl.SSLWantReadError:
            pass
        return b"".join(pieces)

    def seal(self, data: bytes | bytearray) -> None:
        """SIP to send; it is `outgoing` at once, or after the handshake. Raises OSError."""
        if not self.ready:
            self._waiting += data
        elif data:
            self._tls.write(data)

    def outgoing(self) -> bytes:
        """Octets for the wire, once."""
        return self._out.read()

    @property
    def waiting(self) -> int:
        """How many octets of SIP wait for the handshake."""
        return len(self._waiting)

    def names(self) -> frozenset[str]:
        """What the certificate of the other side says whom it is for, if it showed one that was verified (RFC 5922 7.1).

        Names of hosts as they are, SIP URIs without their scheme.
        """
        shown = self._tls.getpeercert() if self.ready else None
        said = cast(Iterable[tuple[str, str]], (shown or {}).get("subjectAltName", ()))
        found = (value for kind, value in said if kind in ("DNS", "URI"))
        return frozenset(value.removeprefix("sip:").removeprefix("sips:").lower() for value in found)


class Authorities:
    """The client's side of TLS by file of authorities ("": those of the system), read once until they are to be read anew."""

    def __init__(self) -> None:
        self._known: dict[str, ssl.SSLContext] = {}

    def forget(self) -> None:
        """Files may have changed."""
        self._known.clear()

    def of(self, file: str) -> ssl.SSLContext:
        """TLS 1.2 and later, certificate and name verified. Raises OSError that says in words what is wrong with the file."""
        if file not in self._known:
            try:
                secure = ssl.create_default_context(cafile=file or None)
            except ssl.SSLError as error:
                raise OSError(f"{file} holds no certificates in PEM form") from error
            except OSError as error:
                raise OSError(f"{file}: {error.strerror}") from error
            secure.minimum_version = ssl.TLSVersion.TLSv1_2
            self._known[file] = secure
        return self._known[file]


def words(error: OSError, name: str) -> str:
    """What went wrong with the connection, for people; `name` is who the other side should be ("": nobody in particular)."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _NAME_MISMATCH:
            return f"its certificate is for another name than {name}"
        if error.verify_code in _AUTHORITY_UNKNOWN:
            return "its certificate is signed by no authority that is trusted here"
        return _CERTIFICATE_FAULTS.get(error.verify_code, f"its certificate is refused: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {(error.reason or str(error)).lower().replace('_', ' ')}"
    return error.strerror or str(error)
