"""HTTPS beside HTTP: certificates of one's own hold in a real handshake, and a bad one is told before anything starts."""

import asyncio
import datetime
import json
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner
from websockets.sync.client import connect

from callserver.cli import app
from callserver.config import Config, ConfigError, dump_json, load
from callserver.web import tls
from tests.eventually import eventually_sync
from tests.web.desk import password_of, user_of

RUN = (
    "import sys; from callserver.config import load_json; from callserver.web.main import run;"
    "run(load_json(sys.argv[1]), *map(int, sys.argv[2:]), beat=lambda: None, beat_every_s=1.0)"
)
STOP_WITHIN_S = 3.0
NOW = datetime.datetime.now(datetime.UTC)


def _made(directory: Path, *hosts: str) -> str:
    """`callserver certificate`; what it says."""
    named = [part for host in hosts for part in ("--host", host)]
    done = CliRunner().invoke(app, ["certificate", *named, "--directory", str(directory)])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A directory with an authority and a certificate for this machine."""
    _made(tmp_path, "127.0.0.1", "localhost")
    return tmp_path


@contextmanager
def _process(config: Config, *listeners: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    numbers = [listener.fileno() for listener in listeners]
    command = [sys.executable, "-c", RUN, dump_json(config), *map(str, numbers)]
    process = subprocess.Popen(command, pass_fds=numbers, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _secured(config: Config, directory: Path) -> Config:
    web = config.web.model_copy(update={"tls_cert": directory / "server.pem", "tls_key": directory / "server.key"})
    return config.model_copy(update={"web": web})


def _alive(url: str, trust: ssl.SSLContext | None = None) -> bool:
    try:
        with urlopen(f"{url}/healthz", timeout=5, context=trust) as answer:
            return bool(json.load(answer)["alive"])
    except OSError:
        return False


def _trusting(directory: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=directory / "callserver-ca.crt")


@pytest.mark.real
def test_both_listeners_serve_pages_commands_and_sockets(config: Config, made: Path) -> None:
    """The cookie of HTTPS is Secure; a page's WebSocket stands; both end in time."""
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as secure:
        http, https = (f"{scheme}://127.0.0.1:{one.getsockname()[1]}" for scheme, one in (("http", plain), ("https", secure)))
        trust = _trusting(made)
        with _process(_secured(config, made), plain, secure) as process:
            eventually_sync(lambda: _alive(http) and _alive(https, trust), 20)
            body = json.dumps({"user": user_of("operator"), "password": password_of("operator")}).encode()
            request = Request(f"{https}/api/session", body, {"Content-Type": "application/json", "Origin": https})
            with urlopen(request, timeout=5, context=trust) as answer:
                cookie = answer.headers["Set-Cookie"]
            assert "secure" in cookie.lower()
            headers = {"Cookie": cookie.split(";")[0]}
            address = https.replace("https", "wss") + "/api/live"
            with connect(address, ssl=trust, origin=https, additional_headers=headers, proxy=None) as page:
                page.send('{"type": "watch", "epoch": "", "number": 0}')
                assert json.loads(page.recv(5))["type"] == "beat"
                process.send_signal(signal.SIGTERM)
                assert process.wait(STOP_WITHIN_S) == 0
                with pytest.raises(Exception, match="1012"):  # service restart
                    while True:
                        page.recv(5)


@pytest.mark.real
def test_a_certificate_that_went_bad_leaves_http_alone(config: Config, made: Path) -> None:
    """A restarted web process cannot use it: what works without it goes on, and the log says why."""
    (made / "server.key").write_text("nonsense")
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as secure:
        with _process(_secured(config, made), plain, secure) as process:
            eventually_sync(lambda: _alive(f"http://127.0.0.1:{plain.getsockname()[1]}"), 20)
            process.send_signal(signal.SIGTERM)
            process.wait(10)
            assert process.stdout is not None and b"https-off" in process.stdout.read()


async def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str | None:
    """The version that both agree on."""
    listening = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=server)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        version: str | None = writer.get_extra_info("ssl_object").version()
        writer.transport.abort()
    return version


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_who_trusts_the_authority_trusts_the_service(made: Path, name: str) -> None:
    """By each of its names, and by no other."""
    server = tls.server_side(made / "server.pem", made / "server.key")
    assert await _handshake(server, _trusting(made), name) == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        await _handshake(server, _trusting(made), "other.example")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get local issuer|self-signed"):
        await _handshake(server, ssl.create_default_context(), name)


def _old(secure: ssl.SSLContext) -> ssl.SSLContext:
    """Made ready for TLS 1.1 and nothing later."""
    secure.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        secure.minimum_version = secure.maximum_version = ssl.TLSVersion.TLSv1_1
    return secure


async def test_old_versions_of_tls_are_refused(made: Path) -> None:
    """1.2 is taken; 1.1 is not, with a client that would speak it with another server."""
    certificate = made / "server.pem", made / "server.key"
    modern, old = _trusting(made), _old(_trusting(made))
    modern.maximum_version = ssl.TLSVersion.TLSv1_2
    assert await _handshake(tls.server_side(*certificate), modern, "localhost") == "TLSv1.2"
    assert await _handshake(_old(tls.server_side(*certificate)), old, "localhost") == "TLSv1.1"
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await _handshake(tls.server_side(*certificate), old, "localhost")


def test_the_files_are_what_they_should_be(made: Path) -> None:
    """Keys are closed to others; names, usage and length of the certificate are those that browsers want."""
    modes = {file.name: file.stat().st_mode & 0o777 for file in made.iterdir()}
    keys = {"callserver-ca.key": 0o600, "server.key": 0o600}
    assert modes == {**keys, "callserver-ca.crt": 0o644, "server.pem": 0o644}
    leaf, ca = x509.load_pem_x509_certificates((made / "server.pem").read_bytes())
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days <= 825
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    limits = ca.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
    assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)


def test_a_second_certificate_is_of_the_same_authority(made: Path) -> None:
    """PCs that trust it need nothing new; what to do is said for each system."""
    before = {name: (made / name).read_bytes() for name in ("callserver-ca.crt", "callserver-ca.key", "server.pem")}
    told = _made(made, "help.example.org", "192.0.2.10", "HELP.example.org")
    after = {name: (made / name).read_bytes() for name in before}
    assert {name: before[name] == after[name] for name in before} == {
        "callserver-ca.crt": True,
        "callserver-ca.key": True,
        "server.pem": False,
    }
    found = tls.look_at(made / "server.pem", made / "server.key", NOW)
    assert (found.faults, found.warnings, found.names) == ((), (), ("help.example.org", "192.0.2.10"))
    for word in ("tls_cert", "https_host", "Windows", "macOS", "Debian", "Firefox", "https://help.example.org:8443/"):
        assert word in told


@pytest.mark.parametrize("host", ["", "bad host", "*.example.org", "-x", "a..b", "1.2.3.4/24", "http://x"])
def test_what_is_no_host_gets_no_certificate(tmp_path: Path, host: str) -> None:
    """Misuse, and nothing is written."""
    done = CliRunner().invoke(app, ["certificate", "--host", host, "--directory", str(tmp_path / "new")])
    assert (done.exit_code, (tmp_path / "new").exists()) == (2, False)


def test_an_authority_whose_key_is_another_is_not_used(made: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nor replaced in silence: PCs trust it."""
    other = tmp_path_factory.mktemp("other")
    _made(other, "localhost")
    (made / "callserver-ca.key").write_bytes((other / "callserver-ca.key").read_bytes())
    done = CliRunner().invoke(app, ["certificate", "--host", "localhost", "--directory", str(made)])
    assert done.exit_code == 1 and "is not the key of" in done.output


def _signed(directory: Path, begins: datetime.datetime, ends: datetime.datetime, names: tuple[str, ...] = ("x",)) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, begins, ends)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    certificate = builder.sign(key, hashes.SHA256())
    (directory / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    (directory / "server.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    (directory / "server.key").chmod(0o600)


def _spoil(directory: Path, how: str) -> None:
    day = datetime.timedelta(days=1)
    other = directory / "other"
    match how:
        case "expired":
            _signed(directory, NOW - 9 * day, NOW - day)
        case "not yet valid":
            _signed(directory, NOW + day, NOW + 90 * day)
        case "without a name":
            _signed(directory, NOW - day, NOW + 90 * day, ())
        case "another's key":
            other.mkdir()
            _signed(other, NOW - day, NOW + 90 * day)
            (other / "server.key").rename(directory / "server.key")
        case "no certificate":
            (directory / "server.pem").write_text("-----BEGIN NONSENSE-----\n")
        case "no key":
            (directory / "server.key").write_bytes(b"\x00\xff")
        case "key with a passphrase":
            key = ec.generate_private_key(ec.SECP256R1())
            secret = serialization.BestAvailableEncryption(b"secret")
            form = serialization.PrivateFormat.PKCS8
            (directory / "server.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, secret))
        case "missing":
            (directory / "server.pem").unlink()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("expired", "expired on"),
        ("not yet valid", "is valid from"),
        ("without a name", "names no host"),
        ("another's key", "is not the key of"),
        ("no certificate", "holds no certificate"),
        ("no key", "holds no private key"),
        ("key with a passphrase", "has a passphrase"),
        ("missing", "No such file"),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_starts(made: Path, how: str, words: str) -> None:
    """By check, serve and doctor, in words; and nothing was started or made."""
    _spoil(made, how)
    (made / "callserver.toml").write_text('[web]\ntls_cert = "server.pem"\ntls_key = "server.key"\n')
    named = ["--config", str(made / "callserver.toml")]
    check, serve = (CliRunner().invoke(app, [verb, *named]) for verb in ("check", "serve"))
    assert (check.exit_code, serve.exit_code) == (1, 1)
    assert words in check.output and words in serve.output
    assert not (made / "var").exists()


def test_a_certificate_that_ends_soon_is_warned_of(made: Path) -> None:
    """From thirty days before; and a key that everybody may read."""
    day = datetime.timedelta(days=1)
    _signed(made, NOW - 60 * day, NOW + 31 * day)
    assert tls.look_at(made / "server.pem", made / "server.key", NOW).warnings == ()
    found = tls.look_at(made / "server.pem", made / "server.key", NOW + 2 * day)
    assert found.faults == () and "expires on" in found.warnings[0]
    (made / "server.key").chmod(0o644)
    assert "everybody may read" in tls.look_at(made / "server.pem", made / "server.key", NOW).warnings[0]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"web.tls_cert": "x"}, "go together"),
        ({"web.tls_key": "x"}, "go together"),
        ({"web.tls_cert": "x", "web.tls_key": "y", "web.https_port": 8080}, "port and https_port are the same"),
        ({"web.tls_cert": "x", "web.tls_key": "y", "web.https_port": 5060}, "tcp_port and [web] https_port"),
        ({"web.https_host": "everywhere"}, "IPv4 address"),
    ],
)
def test_keys_that_do_not_fit_are_refused(tmp_path: Path, keys: dict[str, object], words: str) -> None:
    """With their names."""
    (tmp_path / "callserver.toml").write_text("")
    with pytest.raises(ConfigError, match=words.replace("[", r"\[")):
        load(tmp_path / "callserver.toml", keys)
