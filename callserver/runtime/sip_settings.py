"""What the edge is told at its start, from the configuration."""

import secrets
from pathlib import Path

from callserver.config import Config
from callserver.sip.settings import EdgeConfig

EVERY_INTERFACE = "0.0.0.0"


def edge_config(config: Config) -> EdgeConfig:
    """Addresses and names of the edge. Where it listens on every interface, devices are told the address of the sound."""
    sip = config.sip
    return EdgeConfig(
        domain=sip.domain,
        secret=_secret(Path(config.storage.data) / "digest.key"),
        host=sip.media_host if sip.host == EVERY_INTERFACE else sip.host,
        udp_port=sip.udp_port,
        tcp_port=sip.tcp_port,
        tls_port=sip.tls_port if sip.tls else 0,
        also=(sip.host,),
        session_expires_s=sip.session_expires_s,
    )


def _secret(path: Path) -> bytes:
    """The key of our nonces; it outlives restarts, so that clients need not be challenged anew."""
    try:
        return bytes.fromhex(path.read_text())
    except (OSError, ValueError):
        secret = secrets.token_bytes(32)
        path.touch(mode=0o600)
        path.write_text(secret.hex())
        return secret
