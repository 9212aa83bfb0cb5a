"""The configuration: what is refused, in which words, and that it reaches other processes unchanged."""

from pathlib import Path

import pytest

from callserver import config as c
from tests import sources

BENCH = sources.ROOT / "tests" / "bench" / "callserver.toml"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (c.ENVIRONMENT_CONFIG, c.ENVIRONMENT_METRICS_TOKEN, c.ENVIRONMENT_NOTIFY):
        monkeypatch.delenv(name, raising=False)


def _file(directory: Path, text: str) -> Path:
    path = directory / "callserver.toml"
    path.write_text(text)
    return path


def test_all_keys_have_defaults(tmp_path: Path) -> None:
    """An empty file is a configuration; loopback for everything."""
    config = c.load(_file(tmp_path, ""))
    assert (config.sip.host, config.sip.udp_port, config.web.host, config.web.port) == ("127.0.0.1", 5060, "127.0.0.1", 8080)
    assert (config.sip.domain, config.sip.media_host, config.sip.rtp_range) == ("127.0.0.1", "127.0.0.1", (20000, 29999))
    assert (config.pool.spares, config.plan.file, config.directory.seed) == (4, None, None)


def test_relative_paths_are_those_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the service is started from; an override's are those of the shell."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    config = c.load(_file(tmp_path, '[plan]\nfile = "a/plan.toml"'), {"directory.seed": Path("seed.toml")})
    assert config.plan.file == tmp_path / "a" / "plan.toml"
    assert config.directory.seed == tmp_path / "elsewhere" / "seed.toml"
    assert config.storage.data == tmp_path / "var" / "data"
    assert config.storage.control_socket == tmp_path / "var" / "run" / "control.sock"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[sip]\nport = 5060", "[sip] port: is unknown here"),
        ("[tls]\ncert = 'x'", "[tls]: is unknown here"),
        ("sip = 5", "[sip]: must be a section"),
        ('[sip]\nudp_port = "5060"', "[sip] udp_port: must be a whole number"),
        ("[sip]\nudp_port = true", "[sip] udp_port: must be a whole number"),
        ("[sip]\nudp_port = 65536", "[sip] udp_port: must be at most 65535"),
        ("[sip]\nhost = 'localhost'", "[sip] host: write an IPv4 address"),
        ("[sip]\ntls_cert = 'a'", "[sip]: tls_cert and tls_key go together"),
        ("[sip]\ntls_client_ca = 'a'", "[sip]: tls_client_ca is for SIP over TLS"),
        ("[sip]\ntls_cert = 'a'\ntls_key = 'b'\ntls_port = 5060", "[sip]: tcp_port and tls_port are the same"),
        ("[sip]\ntls_cert = 'a'\ntls_key = 'b'\ntls_port = 20100", "[sip]: tls_port lies inside rtp_ports"),
        ("[sip]\ntls_cert = 'a'\ntls_key = 'b'\ntls_port = 8080", "[sip] tls_port and [web] port are the same"),
        ("[sip]\nhost = '0.0.0.0'", "[sip]: domain must be given"),
        ("[sip]\nhost = '0.0.0.0'\ndomain = 'd'", "[sip]: media_host must be given"),
        ("[sip]\nhost = '0.0.0.0'\ndomain = 'd'\nmedia_host = '0.0.0.0'", "[sip]: media_host cannot be 0.0.0.0"),
        ("[sip]\nrtp_ports = '20001-20100'", "[sip] rtp_ports: LOW is even"),
        ("[sip]\nrtp_ports = '20000'", "[sip] rtp_ports: write it as LOW-HIGH"),
        ("[sip]\nrtp_ports = '20100-20000'", "[sip] rtp_ports: LOW is even"),
        ("[sip]\nudp_port = 20010", "[sip]: udp_port lies inside rtp_ports"),
        ("[sip]\nsession_expires_s = 89", "[sip] session_expires_s: RFC 4028 has no shorter interval"),
        ("[web]\nport = 5060", "[sip] tcp_port and [web] port are the same"),
        ("[web]\norigins = ['https://a.test/']", "is no origin"),
        ("[web]\norigins = 'https://a.test'", "[web] origins: must be a list"),
        ("[web]\nsign_in_hours = 0", "[web] sign_in_hours: must be at least 1"),
        ("[log]\nlevel = 'loud'", "[log] level: must be 'debug', 'info', 'warning' or 'error'"),
        ("[pool]\nspares = 0", "[pool] spares: must be at least 1"),
        ("[plan]\nfile = 5", "[plan] file: must be a path"),
        (f"[storage]\nrun = '/{'x' * 80}'", "[storage] run: "),
        ("[sip\n", "no TOML"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(tmp_path: Path, text: str, fault: str) -> None:
    """File, section, key and what is wrong, without a word of the library's."""
    file = _file(tmp_path, text)
    with pytest.raises(c.ConfigError) as caught:
        c.load(file)
    assert fault in str(caught.value)
    assert str(caught.value).startswith(str(file))
    assert "pydantic" not in str(caught.value).lower()


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Not one at each start."""
    with pytest.raises(c.ConfigError) as caught:
        c.load(_file(tmp_path, "[sip]\nport = 1\n[web]\nport = 'x'\n[log]\nlevel = 5"))
    assert len(caught.value.faults) == 3


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """And one that is no text."""
    with pytest.raises(c.ConfigError, match="No such file"):
        c.load(tmp_path / "nothing.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(c.ConfigError, match="no TOML"):
        c.load(tmp_path / "binary.toml")


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no option does; without both, ./callserver.toml, then the defaults."""
    monkeypatch.chdir(tmp_path)
    assert c.load().web.port == 8080
    _file(tmp_path, "[web]\nport = 8081")
    assert c.load().web.port == 8081
    other = tmp_path / "other.toml"
    other.write_text("[web]\nport = 8082")
    monkeypatch.setenv(c.ENVIRONMENT_CONFIG, str(other))
    assert c.load().web.port == 8082
    assert c.load(tmp_path / "callserver.toml").web.port == 8081


def test_overrides_are_stronger_than_the_file(tmp_path: Path) -> None:
    """And are checked as it is."""
    file = _file(tmp_path, "[web]\nport = 8081")
    assert c.load(file, {"web.port": 9000}).web.port == 9000
    with pytest.raises(c.ConfigError, match="unknown"):
        c.load(file, {"web.prot": 9000})
    with pytest.raises(c.ConfigError, match=r"SECTION\.KEY"):
        c.load(file, {"port": 9000})


def test_children_read_what_the_parent_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """By JSON, with systemd's socket beside it."""
    config = c.load(BENCH, {"sip.udp_port": 25061})
    monkeypatch.setenv(c.ENVIRONMENT_NOTIFY, "/run/notify")
    text = c.dump_json(config)
    assert c.load_json(text) == config
    assert '"notify_socket":"/run/notify"' in text
    with pytest.raises(c.ConfigError, match="no JSON"):
        c.load_json("{")


def test_the_token_comes_from_file_or_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never from the configuration itself; an empty file is refused, not an open door."""
    file = _file(tmp_path, "")
    assert c.metrics_token(c.load(file)) == ""
    monkeypatch.setenv(c.ENVIRONMENT_METRICS_TOKEN, "from the environment")
    assert c.metrics_token(c.load(file)) == "from the environment"
    secret = tmp_path / "token"
    config = c.load(file, {"web.metrics_token_file": secret})
    for content in (None, "", " \n"):
        if content is not None:
            secret.write_text(content)
        with pytest.raises(c.ConfigError, match="metrics_token_file"):
            c.metrics_token(config)
    secret.write_text("from the file\n")
    assert c.metrics_token(config) == "from the file"


def test_every_key_is_described() -> None:
    """Section, default, example and a sentence."""
    keys = c.describe()
    assert len(keys) == sum(len(type(getattr(c.Config(), name)).model_fields) for name in c.Config.model_fields)
    assert [key.name for key in keys if not key.description.endswith(".")] == []
    assert next(key for key in keys if (key.section, key.name) == ("sip", "udp_port")).default == "5060"


def test_the_bench_is_where_it_should_be() -> None:
    """Ports that leave voipbench its own."""
    config = c.load(BENCH)
    assert (config.sip.host, config.sip.udp_port, config.sip.tcp_port, config.web.port) == ("127.0.0.1", 25060, 25060, 28080)
    assert config.sip.rtp_range == (30000, 39999)
    assert config.plan.file == BENCH.with_name("plan.toml")
