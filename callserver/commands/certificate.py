"""`certificate`: a certificate authority of one's own and the service's certificate, for browsers and telephones elsewhere.

Browsers give a page the microphone on HTTPS only (and on the machine itself). Where no certificate of a public authority can
be had, this makes one: ECDSA P-256, 825 days at most (Apple's limit for authorities of one's own).
"""

import datetime
import ipaddress
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callserver.commands.findings import Finding, fault, good, warning
from callserver.commands.output import FAULTS, MISUSE, fail, say

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from callserver.config import Config

CA_CERTIFICATE, CA_KEY = "callserver-ca.crt", "callserver-ca.key"
CERTIFICATE, KEY = "server.pem", "server.key"
DAYS = 825
CA_DAYS = 3650
_EARLIER = datetime.timedelta(hours=1)  # clocks of other machines
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")

_TOLD = """\
{certificate} is for {names}, until {ends:%Y-%m-%d}.

1. The service: in callserver.toml, then restart it.

   [web]
   tls_cert = "{certificate}"
   tls_key = "{key}"
   https_host = "0.0.0.0"

   The service's user must be able to read the key: chown callserver {key}

   For SIP over TLS too: the same two lines in [sip]. Telephones and help points then take the authority below as theirs.

2. Every operator's PC trusts {ca} (this file alone, no key):

   Windows         as administrator: certutil -addstore -f Root callserver-ca.crt
                   (for many: group policy, Public Key Policies, Trusted Root Certification Authorities)
   macOS           sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain callserver-ca.crt
   Debian, Ubuntu  sudo cp callserver-ca.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates
                   Chrome and Chromium there: certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n callserver -i callserver-ca.crt
   Firefox         takes those of Windows and macOS; elsewhere policies.json:
                   {{"policies": {{"Certificates": {{"Install": ["/path/to/callserver-ca.crt"]}}}}}}

3. Open {url} there.

Who has {ca_key} can pretend to be any site to these PCs.
Keep it off the network; it is needed again only for the next certificate (run this again before the date above, then
callserver restart web)."""


def certificate(
    host: Annotated[
        list[str], typer.Option("--host", metavar="NAME|ADDRESS", help="By which others call the service. Repeatable.")
    ],
    directory: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")] = Path("tls"),
    days: Annotated[int, typer.Option(min=1, max=DAYS, help="How long the certificate is good.")] = DAYS,
) -> None:
    """Make a certificate for HTTPS and SIP over TLS, and an authority that others are told to trust."""
    names = _hosts(host)
    directory = directory.resolve()
    now = datetime.datetime.now(datetime.UTC)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o755)
        ca, ca_key = _authority(directory, now)
        ends = _server(directory, ca, ca_key, names, now, days)
    except (OSError, ValueError) as error:
        fail(f"{directory}: {error}", FAULTS)
    first = names[0]
    files = {"certificate": directory / CERTIFICATE, "key": directory / KEY, "ca": directory / CA_CERTIFICATE}
    say(_TOLD.format(names=", ".join(names), ends=ends, url=f"https://{first}:8443/", ca_key=directory / CA_KEY, **files))


def tls_faults(config: "Config") -> list[str]:
    """What keeps the certificate of HTTPS from being used, one sentence each."""
    from callserver.web.tls import look_at

    if config.web.tls_cert is None or config.web.tls_key is None:
        return []
    return list(look_at(config.web.tls_cert, config.web.tls_key, datetime.datetime.now(datetime.UTC)).faults)


def sip_tls_faults(config: "Config") -> list[str]:
    """What is wrong with the certificate of SIP over TLS; the service starts all the same, and rings."""
    from callserver.web.tls import look_at

    if config.sip.tls_cert is None or config.sip.tls_key is None:
        return []
    return list(look_at(config.sip.tls_cert, config.sip.tls_key, datetime.datetime.now(datetime.UTC), "sip").faults)


def sip_tls(config: "Config") -> Iterator[Finding]:
    """The certificate of SIP over TLS: a check of `doctor`."""
    from callserver.web.tls import look_at

    if config.sip.tls_cert is None or config.sip.tls_key is None:
        yield good("sip-tls", "off: who is on the network can read and change signalling (callserver certificate --help)")
        return
    found = look_at(config.sip.tls_cert, config.sip.tls_key, datetime.datetime.now(datetime.UTC), "sip")
    for what in found.faults:
        yield fault("sip-tls", what, "Correct it, then callserver reload.")
    for what in found.warnings:
        yield warning("sip-tls", what, "Run callserver certificate, or fetch a new one; it is taken up within a minute.")
    if not found.faults and found.ends is not None:
        yield good("sip-tls", f"port {config.sip.tls_port}: {', '.join(found.names)}, until {found.ends:%Y-%m-%d}")


def tls(config: "Config") -> Iterator[Finding]:
    """The certificate of HTTPS, and whether passwords cross a network in the clear: a check of `doctor`."""
    from callserver.web.tls import look_at

    if not ipaddress.ip_address(config.web.host).is_loopback:
        what = f"[web] host {config.web.host}: passwords and what is shown can be read on the network"
        yield warning("https", what, "Leave host on 127.0.0.1; name tls_cert, tls_key and https_host.")
    if config.web.tls_cert is None or config.web.tls_key is None:
        yield good("https", "off: browsers on other machines have no microphone here (callserver certificate --help)")
        return
    found = look_at(config.web.tls_cert, config.web.tls_key, datetime.datetime.now(datetime.UTC))
    for what in found.faults:
        yield fault("https", what, "Correct it, then callserver restart web.")
    for what in found.warnings:
        yield warning("https", what, "Run callserver certificate, or fetch a new one, then callserver restart web.")
    if not found.faults and found.ends is not None:
        yield good("https", f"{', '.join(found.names)}, until {found.ends:%Y-%m-%d}")


def _hosts(given: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(one.strip().lower().rstrip(".") for one in given))
    for name in names:
        if _address(name) is None and not _HOST.fullmatch(name):
            fail(f"--host {name}: write a host name such as help.example.org, or an address such as 192.0.2.10", MISUSE)
    return names


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _authority(directory: Path, now: datetime.datetime) -> "tuple[x509.Certificate, EllipticCurvePrivateKey]":
    """The one that is there, else a new one."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if (directory / CA_CERTIFICATE).exists() or (directory / CA_KEY).exists():
        ca = x509.load_pem_x509_certificate((directory / CA_CERTIFICATE).read_bytes())
        key = load_pem_private_key((directory / CA_KEY).read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != ca.public_key():
            raise ValueError(f"{CA_KEY} is not the key of {CA_CERTIFICATE}; take both away to begin anew")
        if ca.not_valid_after_utc < now + datetime.timedelta(days=1):
            raise ValueError(f"{CA_CERTIFICATE} expires on {ca.not_valid_after_utc:%Y-%m-%d}; take it and {CA_KEY} away")
        return ca, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"callserver {now:%Y-%m-%d}")])
    limits = x509.BasicConstraints(ca=True, path_length=0)
    ca = (
        _begun(name, key, now, CA_DAYS)
        .issuer_name(name)
        .add_extension(limits, critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(key, _sha256())
    )
    _write_key(directory / CA_KEY, key)
    _write(directory / CA_CERTIFICATE, _pem(ca), 0o644)
    return ca, key


def _server(
    directory: Path,
    ca: "x509.Certificate",
    ca_key: "EllipticCurvePrivateKey",
    names: Sequence[str],
    now: datetime.datetime,
    days: int,
) -> datetime.datetime:
    """Write key and certificate with its authority; the day of its end."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = ec.generate_private_key(ec.SECP256R1())
    addresses = {name: _address(name) for name in names}
    spoken = [x509.DNSName(name) if (one := addresses[name]) is None else x509.IPAddress(one) for name in names]
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0][:64])])
    left = (ca.not_valid_after_utc - now).days
    made = (
        _begun(subject, key, now, min(days, left))
        .issuer_name(ca.subject)
        .add_extension(x509.SubjectAlternativeName(spoken), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, _sha256())
    )
    _write_key(directory / KEY, key)
    _write(directory / CERTIFICATE, _pem(made) + _pem(ca), 0o644)
    return made.not_valid_after_utc


def _begun(subject: "x509.Name", key: "EllipticCurvePrivateKey", now: datetime.datetime, days: int) -> "x509.CertificateBuilder":
    from cryptography import x509

    begins = now - _EARLIER
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(signs: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _sha256() -> "hashes.SHA256":
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()


def _pem(made: "x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return made.public_bytes(Encoding.PEM)


def _write_key(file: Path, key: "EllipticCurvePrivateKey") -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    _write(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)


def _write(file: Path, content: bytes, mode: int) -> None:
    aside = file.with_name(file.name + ".new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as out:
        os.fchmod(out.fileno(), mode)
        if os.geteuid() == 0 and file.exists():  # a renewed key stays readable to the service's user
            os.fchown(out.fileno(), file.stat().st_uid, file.stat().st_gid)
        out.write(content)
    aside.replace(file)
