"""The pages for browsers: files of the package, nothing else, and a policy under which nothing foreign runs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from callserver.config import Config
from callserver.control import CommandClient
from callserver.store.engine import read_only
from callserver.web.api.pages import CONSOLE, KINDS
from callserver.web.app import create_app
from tests.web.desk import BASE
from tests.web.wire import WITHIN_S, Wire

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FILES = {
    "index.html": b"<!doctype html>console",
    "replay.html": b"<!doctype html>replay",
    "model.js": b"export {};",
    "inner/tokens.css": b"body {}",
    "notes.txt": b"of no kind that is served",
    ".hidden.js": b"secret",
    ".git/config.json": b"secret",
}


@pytest.fixture
async def pages(config: Config, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser, and files beside those of the pages."""
    console = tmp_path / "console"
    for name, content in FILES.items():
        (console / name).parent.mkdir(parents=True, exist_ok=True)
        (console / name).write_bytes(content)
    (tmp_path / "outside.json").write_text("secret")
    (console / "leads-out.json").symlink_to(tmp_path / "outside.json")
    engine = read_only(config.storage.data)
    app = create_app(config, engine, CommandClient(config.storage.control_socket), console=console)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE, headers=BROWSER) as client:
        yield client
    engine.dispose()


@pytest.mark.parametrize(
    ("path", "name", "kind"),
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/replay", "replay.html", "text/html; charset=utf-8"),
        ("/console/model.js", "model.js", "text/javascript; charset=utf-8"),
        ("/console/inner/tokens.css", "inner/tokens.css", "text/css; charset=utf-8"),
    ],
)
async def test_files_are_served_as_what_they_are(pages: httpx.AsyncClient, path: str, name: str, kind: str) -> None:
    """With the browser's guessing off."""
    answer = await pages.get(path)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, FILES[name], kind)
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_nothing_foreign_and_nothing_inline_runs_in_a_page(pages: httpx.AsyncClient) -> None:
    """The microphone is for our own pages; the API's answers allow nothing at all, as before."""
    answer, api = await pages.get("/"), await pages.get("/healthz")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "media-src": "'self' blob:",
        "font-src": "'self'",
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert "microphone=(self)" in answer.headers["permissions-policy"]
    assert "microphone=()" in api.headers["permissions-policy"]
    assert "script-src" not in api.headers["content-security-policy"]


async def test_an_upgrade_is_taken_at_once(pages: httpx.AsyncClient, tmp_path: Path) -> None:
    """A browser asks each time; what did not change is not sent again."""
    first = await pages.get("/console/model.js")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await pages.get("/console/model.js", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    (tmp_path / "console/model.js").write_bytes(b"export const a = 1;")
    changed = await pages.get("/console/model.js", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.content) == (200, b"export const a = 1;")


@pytest.mark.parametrize(
    "path",
    [
        "/console/",
        "/console/inner",
        "/console/nothing.js",
        "/console/notes.txt",
        "/console/.hidden.js",
        "/console/.git/config.json",
        "/console/leads-out.json",
        "/console/../outside.json",
        "/console/..%2foutside.json",
        "/console/%2e%2e/outside.json",
        "/console/inner/../../outside.json",
        "/console//etc/passwd",
        "/console/%2fetc%2fpasswd.json",
        "/console/..%5coutside.json",
        "/console/model.js%00.css",
        "/console/" + "a" * 5000 + ".js",
        "/index.html",
    ],
)
async def test_nothing_else_is_served(pages: httpx.AsyncClient, path: str) -> None:
    """No directory, no hidden file, nothing outside: 404 in the shape of every error."""
    answer = await pages.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not-found")
    assert b"secret" not in answer.content


async def _asked(wire: Wire, method: str, path: str) -> tuple[str, dict[str, str], bytes]:
    """First line, headers and body, as they went over the wire until the service closed the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await asyncio.wait_for(reader.read(), WITHIN_S)).partition(b"\r\n\r\n")
    writer.close()
    first, *lines = head.decode().split("\r\n")
    return first, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}, body


@pytest.mark.parametrize("path", ["/", "/replay", "/console/main.js"])
async def test_head_is_what_get_would_say_and_no_body(wire: Wire, path: str) -> None:
    """For monitors and proxies that look whether a page is there; what is not there is not there for them either."""
    first, headers, body = await _asked(wire, "HEAD", path)
    got_first, got, content = await _asked(wire, "GET", path)
    assert (first, body) == ("HTTP/1.1 200 OK", b"") and first == got_first
    for name in ("content-length", "content-type", "etag", "content-security-policy"):
        assert headers[name] == got[name]
    assert int(headers["content-length"]) == len(content) > 0
    first, _, body = await _asked(wire, "HEAD", "/console/nothing.js")
    assert (first, body) == ("HTTP/1.1 404 Not Found", b"")


@pytest.mark.parametrize("path", ["/", "/replay"])
async def test_a_program_that_wants_json_is_told_that_there_is_none(pages: httpx.AsyncClient, path: str) -> None:
    """Pages are for browsers."""
    answer = await pages.get(path, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not-found")


def test_every_file_of_the_pages_can_be_served() -> None:
    """A kind that is missing in the table would be a page that does not work."""
    files = [path for path in CONSOLE.rglob("*") if path.is_file()]
    assert [str(path) for path in files if path.suffix not in KINDS] == []
    assert CONSOLE / "index.html" in files and CONSOLE / "replay.html" in files
