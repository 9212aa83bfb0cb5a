"""The certificates of the listeners for HTTPS and SIP over TLS: whether one can be used, and the server's side of TLS with it."""

import datetime
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

WARN_DAYS = 30


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is known of the configured one. `faults` keep it from being used, `warnings` want something done soon."""

    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    ends: datetime.datetime | None = None


def look_at(certificate: Path, key: Path, now: datetime.datetime, section: str = "web") -> Certificate:
    """Read both files and compare them with each other and with the time (which has a time zone).

    `section` is whose they are in the configuration: web, or sip for its TLS.
    """
    cert_key, key_key = f"[{section}] tls_cert", f"[{section}] tls_key"
    try:
        leaf = _certificate(certificate)
    except (OSError, ValueError) as error:
        return Certificate(faults=(_words(cert_key, certificate, error),))
    faults, warnings = [], []
    if leaf.not_valid_after_utc <= now:
        faults.append(f"{cert_key}: {certificate} expired on {leaf.not_valid_after_utc:%Y-%m-%d}; make or fetch a new one")
    elif leaf.not_valid_after_utc - now < datetime.timedelta(days=WARN_DAYS):
        warnings.append(f"{cert_key}: {certificate} expires on {leaf.not_valid_after_utc:%Y-%m-%d}")
    if leaf.not_valid_before_utc > now:
        faults.append(f"{cert_key}: {certificate} is valid from {leaf.not_valid_before_utc:%Y-%m-%d} only; look at the clock")
    names = _names(leaf)
    if not names:
        faults.append(f"{cert_key}: {certificate} names no host (subjectAltName), so nobody takes it")
    try:
        if _public(_key(key)) != _encoded(leaf.public_key()):
            faults.append(f"{key_key}: {key} is not the key of {certificate}")
        if stat.S_IMODE(key.stat().st_mode) & 0o007:
            warnings.append(f"{key_key}: everybody may read {key}; chmod 600 it")
    except (OSError, ValueError) as error:
        faults.append(_words(key_key, key, error))
    return Certificate(tuple(faults), tuple(warnings), names, leaf.not_valid_after_utc)


def server_side(certificate: Path, key: Path, clients: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 and later with this certificate. Raises OSError or ValueError (ssl.SSLError is an OSError).

    `clients` are authorities by which a certificate that the other side shows is verified; it need not show one.
    """
    secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    secure.minimum_version = ssl.TLSVersion.TLSv1_2
    secure.options |= ssl.OP_NO_RENEGOTIATION
    secure.load_cert_chain(certificate, key, password=_no_passphrase)
    if clients is not None:
        secure.load_verify_locations(cafile=clients)
        secure.verify_mode = ssl.CERT_OPTIONAL
    return secure


def _no_passphrase() -> str:
    """Asked for a key that has one: OpenSSL would ask on the terminal."""
    raise ValueError("the key has a passphrase; nobody is there to type it")


def _certificate(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except ValueError as error:
        raise ValueError("holds no certificate in PEM form") from error


def _key(file: Path) -> PrivateKeyTypes:
    content = file.read_bytes()
    try:
        return serialization.load_pem_private_key(content, password=None)
    except TypeError as error:
        raise ValueError("has a passphrase; write it without one") from error
    except ValueError as error:
        raise ValueError("holds no private key in PEM form") from error


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (*found.get_values_for_type(x509.DNSName), *(str(one) for one in found.get_values_for_type(x509.IPAddress)))


def _public(key: PrivateKeyTypes) -> bytes:
    return _encoded(key.public_key())


def _encoded(key: object) -> bytes:
    public_bytes = getattr(key, "public_bytes", None)
    if public_bytes is None:
        raise ValueError("has a kind of key that TLS does not use")
    encoded: bytes = public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _words(key: str, file: Path, error: OSError | ValueError) -> str:
    return f"{key}: {file}: {error.strerror}" if isinstance(error, OSError) else f"{key}: {file} {error}"
