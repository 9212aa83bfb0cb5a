"""A certificate authority for tests: certificates of any name and age, and both sides' TLS with them."""

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


class Authority:
    """One authority with its files in a directory."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        limits = x509.BasicConstraints(ca=True, path_length=0)
        self.certificate = self._begun(self.subject, self.key, -DAY, 100 * DAY).add_extension(limits, critical=True)
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(_pem(self.certificate.sign(self.key, hashes.SHA256())))
        self.number = 0

    def _begun(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime.timedelta, ends: datetime.timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
        )

    def issue(self, *names: str, begins: datetime.timedelta = -DAY, ends: datetime.timedelta = 90 * DAY) -> tuple[Path, Path]:
        """Certificate and key for these names, addresses or SIP URIs."""
        self.number += 1
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        spoken = x509.SubjectAlternativeName([_general(name) for name in names])
        made = self._begun(subject, key, begins, ends).add_extension(spoken, critical=False).sign(self.key, hashes.SHA256())
        stem = self.directory / f"{self.subject.rfc4514_string()}-{self.number}"
        certificate, secret = stem.with_suffix(".crt"), stem.with_suffix(".key")
        certificate.write_bytes(_pem(made))
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        secret.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
        secret.chmod(0o600)
        return certificate, secret

    def server(self, *names: str, **age: datetime.timedelta) -> ssl.SSLContext:
        """The server's side of TLS under these names."""
        secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        secure.load_cert_chain(*self.issue(*(names or ("localhost", "127.0.0.1")), **age))
        return secure

    def client(self, *names: str) -> ssl.SSLContext:
        """The client's side that trusts this authority; with a certificate of its own where it has names."""
        secure = ssl.create_default_context(cafile=self.file)
        if names:
            secure.load_cert_chain(*self.issue(*names))
        return secure


def _general(name: str) -> x509.GeneralName:
    if name.startswith("sip:"):
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
