"""The service's own description of itself holds: what schemathesis makes of it meets no failure and no other shape."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import schemathesis
from hypothesis import Phase, given, settings
from schemathesis import Case, Response
from schemathesis.specs.openapi.checks import response_schema_conformance

from callserver.config import Config
from callserver.control import CommandClient
from callserver.store.engine import read_only
from callserver.web.app import create_app
from callserver.web.roles import RULES
from tests.web.desk import BASE, opened

EXAMPLES = 8  # of each operation


async def _ask(client: httpx.AsyncClient, case: Case) -> None:
    """Send it; 500 never, an error always in the one shape, what is no error as it is described."""
    wanted = case.as_transport_kwargs(base_url=BASE)
    headers = {name: value for name, value in wanted["headers"].items() if name.lower() != "user-agent"}
    body: dict[str, Any] = {"json": wanted["json"]} if "json" in wanted else {"content": wanted.get("data")}
    answer = await client.request(wanted["method"], wanted["url"], params=wanted.get("params"), headers=headers, **body)
    assert answer.status_code != 500, (case.method, answer.text)
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) == {"code", "message", "what_to_do"}
    else:
        case.validate_response(Response.from_httpx(answer, verify=False), checks=[response_schema_conformance])


async def _ask_all(config: Config, cases: Sequence[Case]) -> None:
    async with opened(config) as desk, desk.signed_in("supervisor") as client:
        for case in cases:
            await _ask(client, case)


def test_what_is_described_is_what_is_served(config: Config) -> None:
    """A few examples of every operation; signing in and out is left to its own tests."""
    engine = read_only(config.storage.data)
    described = create_app(config, engine, CommandClient(config.storage.control_socket)).openapi()
    engine.dispose()
    cases: list[Case] = []
    for found in schemathesis.openapi.from_dict(described).get_all_operations():
        operation = found.ok()
        if not operation.path.startswith("/api/session"):

            @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate])
            @given(case=operation.as_strategy())
            def draw(case: Case) -> None:
                cases.append(case)

            draw()
    assert len(cases) > len(RULES) * 2
    asyncio.run(_ask_all(config, cases))


def test_the_description_names_the_shape_of_errors(config: Config) -> None:
    """For every operation; and no operation is missing in it."""
    engine = read_only(config.storage.data)
    described = create_app(config, engine, CommandClient(config.storage.control_socket)).openapi()
    engine.dispose()
    found = {(method.upper(), path) for path, one in described["paths"].items() for method in one}
    apart = {("GET", path) for path in ("/openapi.json", "/", "/replay", "/console/{path:path}")}  # itself, and pages
    assert found == {route for route in RULES if route[0] != "WS"} - apart
    for one in described["paths"].values():
        for operation in one.values():
            assert {"4XX", "5XX"} <= set(operation["responses"])
            assert operation["description"] or operation["summary"]
