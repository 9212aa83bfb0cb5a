"""Auditors at work in a process of their own: `python -m tests.loopback.searching URL N [CALL]` searches and fetches on and on.

Each of N signs in as the auditor and asks one slow question after the other; the first downloads CALL's recording besides.
What went well is counted on standard output, a line for each answer.
"""

import sys
import threading

import httpx

HEAVY = ("?q=bicycle", "?q=nothing-like-this", "?q=patrol&limit=500", "?limit=500", "?outcome=safe&q=market&limit=500")


def _search(url: str, call: str) -> None:
    with httpx.Client(base_url=url, headers={"Origin": url}, timeout=60.0) as client:
        client.post("/api/session", json={"user": "auditor", "password": "a-auditor-password"}).raise_for_status()
        while True:
            for question in HEAVY:
                answer = client.get(f"/api/calls{question}").raise_for_status()
                print(f"search {len(answer.json()['items'])}", flush=True)
            if call:
                answer = client.get(f"/api/calls/{call}/recording", params={"reason": "a look back"}).raise_for_status()
                print(f"download {len(answer.content)}", flush=True)


if __name__ == "__main__":
    url, count, *calls = sys.argv[1:]
    threads = [threading.Thread(target=_search, args=(url, *(calls if not n else [""]))) for n in range(int(count))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
