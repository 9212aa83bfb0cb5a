"""The service's own description of itself holds: what schemathesis makes of it meets no failure and no other shape."""

import asyncio
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case

from callserver.config import Config
from tests.web.desk import BASE, Desk, opened

EXAMPLES_OF_AN_OPERATION = 8


async def _ask(desk: Desk, case: Case) -> None:
    """Send it as a supervisor; 500 never, an error always in the one shape, what is no error as it is described."""
    wanted = case.as_transport_kwargs(base_url=BASE)
    headers = {name: value for name, value in wanted["headers"].items() if name.lower() != "user-agent"}
    body: dict[str, Any] = {"json": wanted["json"]} if "json" in wanted else {"content": wanted.get("data")}
    async with desk.signed_in("supervisor") as client:
        answer = await client.request(wanted["method"], wanted["url"], params=wanted.get("params"), headers=headers, **body)
    assert answer.status_code != 500, (case.method, answer.text)
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) == {"code", "message", "what_to_do"}
    elif answer.headers.get("content-type") == "application/json":
        case.validate_response(schemathesis.Response.from_any(answer, verify=False), checks=[])


def test_what_is_described_is_what_is_served(config: Config) -> None:
    """A few examples of every operation; those that sign in or out are left to their own tests."""
    with asyncio.Runner() as runner:
        service = opened(config)
        desk = runner.run(service.__aenter__())
        schema = schemathesis.openapi.from_dict(desk.app.openapi())
        operations = [found.ok() for found in schema.get_all_operations()]
        for operation in operations:
            if operation.path == "/api/session":
                continue

            @settings(
                max_examples=EXAMPLES_OF_AN_OPERATION,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def examples(case: Case) -> None:
                desk.now_s += 60  # so that no limit of sign-ins is met
                runner.run(_ask(desk, case))

            examples()
        runner.run(service.__aexit__(None, None, None))
    assert len(operations) == 22


def test_the_description_names_the_shape_of_errors(config: Config) -> None:
    """For every operation; and no operation is missing in it."""
    from callserver.control import CommandClient
    from callserver.store.engine import read_only
    from callserver.web.app import create_app
    from callserver.web.roles import RULES

    engine = read_only(config.storage.data)
    described = create_app(config, engine, CommandClient(config.storage.control_socket)).openapi()
    engine.dispose()
    found = {(method.upper(), path) for path, one in described["paths"].items() for method in one}
    assert found == set(RULES) - {("GET", "/openapi.json")}
    for one in described["paths"].values():
        for operation in one.values():
            assert {"4XX", "5XX"} <= set(operation["responses"])
            assert operation["description"] or operation["summary"]
