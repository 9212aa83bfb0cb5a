"""Searches under a name: whose they are, who shares and takes away, what is refused."""

from typing import Any

import httpx
import pytest

from callserver.store import saved
from callserver.store.directory import remove_web
from callserver.store.engine import open_store
from tests.web.desk import Desk, user_of


async def keep(client: httpx.AsyncClient, name: str, **more: Any) -> httpx.Response:
    return await client.post("/api/searches", json={"name": name, "of": "calls", "filters": "days=7&min_wait_s=60", **more})


async def names(client: httpx.AsyncClient) -> list[str]:
    return [one["name"] for one in (await client.get("/api/searches")).json()["items"]]


async def test_everybody_keeps_searches_of_their_own(desk: Desk) -> None:
    """By name, and nobody else sees them."""
    async with desk.signed_in("operator") as operator, desk.signed_in("auditor") as auditor:
        kept = await keep(operator, "  long   waits ")
        await keep(operator, "Again", of="incidents", filters="class=high")
        assert (kept.status_code, kept.json()["name"]) == (201, "long waits")
        mine = (await operator.get("/api/searches")).json()
        assert [(one["name"], one["of"], one["filters"], one["mine"]) for one in mine["items"]] == [
            ("Again", "incidents", "class=high", True),
            ("long waits", "calls", "days=7&min_wait_s=60", True),
        ]
        assert (mine["may_share"], mine["most"]) == (False, 100)
        assert await names(auditor) == []


async def test_the_same_name_again_is_the_same_search(desk: Desk) -> None:
    async with desk.signed_in("auditor") as client:
        first = (await keep(client, "long waits")).json()
        second = (await keep(client, "long waits", filters="min_wait_s=90")).json()
        assert first["id"] == second["id"]
        assert [one["filters"] for one in (await client.get("/api/searches")).json()["items"]] == ["min_wait_s=90"]


async def test_a_supervisor_shares_with_all_and_nobody_else_does(desk: Desk) -> None:
    async with desk.signed_in("supervisor") as supervisor, desk.signed_in("auditor") as auditor:
        refused = await keep(auditor, "mine", shared=True)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not-allowed")
        assert (await keep(supervisor, "ours", shared=True)).status_code == 201
        (seen,) = (await auditor.get("/api/searches")).json()["items"]
        assert (seen["name"], seen["shared"], seen["mine"], seen["by"]) == ("ours", True, False, user_of("supervisor"))
        assert (await supervisor.get("/api/searches")).json()["may_share"] is True


async def test_only_its_owner_or_a_supervisor_takes_a_search_away(desk: Desk) -> None:
    async with desk.signed_in("supervisor") as supervisor, desk.signed_in("auditor") as auditor:
        shared = (await keep(supervisor, "ours", shared=True)).json()["id"]
        own = (await keep(auditor, "mine")).json()["id"]
        assert (await auditor.delete(f"/api/searches/{shared}")).json()["error"]["code"] == "not-yours"
        assert (await supervisor.delete(f"/api/searches/{own}")).status_code == 404  # is not even told that it is there
        assert (await auditor.delete(f"/api/searches/{own}")).status_code == 200
        assert await names(auditor) == ["ours"]
        saved.save(desk.config.storage.data, saved.SavedSearch("s9", "gone", "of one who left", "calls", "", True, 1))
        assert (await supervisor.delete("/api/searches/s9")).status_code == 200
        assert await names(auditor) == ["ours"]


@pytest.mark.parametrize(
    "filters",
    [
        "class=moon",
        "min_wait_s=-1",
        "limit=10",
        "before=3",
        "elephant=1",
        "from=yesterday",
        "days=7&from=2026-03-01",
        "q=a+b+c+d+e+f+g+h+i",
        "a",
    ],
)
async def test_what_a_list_would_refuse_is_not_kept(desk: Desk, filters: str) -> None:
    """The same parser reads both."""
    async with desk.signed_in("supervisor") as client:
        answer = await keep(client, "bad", filters=filters)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")
        assert await names(client) == []


@pytest.mark.parametrize(
    "change", [{"name": " "}, {"name": "x" * 81}, {"of": "looks"}, {"filters": "q=" + "x" * 999}, {"more": 1}]
)
async def test_what_is_no_search_is_refused(desk: Desk, change: dict[str, Any]) -> None:
    async with desk.signed_in("supervisor") as client:
        assert (await keep(client, **({"name": "good"} | change))).status_code == 422


async def test_an_account_keeps_a_hundred_and_no_more(desk: Desk) -> None:
    """One of them can still be changed."""
    for n in range(saved.MOST):
        saved.save(desk.config.storage.data, saved.SavedSearch(f"s{n}", user_of("auditor"), f"search {n}", "calls", "", False, n))
    async with desk.signed_in("auditor") as client, desk.signed_in("operator") as other:
        refused = await keep(client, "one more")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "too-many-searches")
        assert (await keep(client, "search 7")).status_code == 201
        assert (await keep(other, "mine")).status_code == 201
        assert len(await names(client)) == saved.MOST


async def test_what_somebody_kept_goes_with_the_account_but_for_what_they_shared(desk: Desk) -> None:
    async with desk.signed_in("supervisor") as client:
        await keep(client, "mine")
        await keep(client, "ours", shared=True)
    engine = open_store(desk.config.storage.data)
    assert remove_web(engine, user_of("supervisor"))
    assert [one.name for one in saved.visible(engine, user_of("supervisor"))] == ["ours"]
    engine.dispose()


async def test_a_search_that_cannot_be_written_says_so(desk: Desk) -> None:
    """And searching goes on."""
    store = desk.config.storage.data / "callserver.db"
    engine = open_store(desk.config.storage.data)
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE saved_searches")
        connection.exec_driver_sql("COMMIT")
    engine.dispose()
    assert store.exists()
    async with desk.signed_in("supervisor") as client:
        answer = await keep(client, "mine")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store-unwritable")
        assert (await client.get("/api/calls")).status_code == 200
