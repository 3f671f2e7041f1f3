"""The figures of a whole server: whichever process is asked, and whatever became of those that counted."""

import ssl

import httpx
import pytest

from tests.processes import living_children
from tests.prometheus import Told, scrape, value
from tests.serving import Server, child_of_serve, kill
from tests.waiting import PROMISED_SECONDS, eventually

MAKE_TOKEN = """
import django
django.setup()
from django.contrib.auth.models import User
from storage.access_tokens import tokens
person = User.objects.create(username="figures", is_superuser=True)
print(tokens.create_token(person=person, name="Prometheus").text)
"""


@pytest.fixture(scope="module")
def token(hardy_server: Server) -> str:
    return hardy_server.run_code(MAKE_TOKEN).strip()


def test_figures_are_whole_whichever_process_tells_them_and_whatever_became_of_the_others(
    hardy_server: Server, token: str
) -> None:
    collection_id, key = hardy_server.make_key("figures")
    path = f"/v1/{collection_id}/things/items/a"
    trusted = ssl.create_default_context(cafile=str(hardy_server.ca_path))

    def ask(times: int) -> None:
        for number in range(times):
            url = (hardy_server.url, hardy_server.tls_url)[number % 2]
            answer = httpx.get(
                url + path, headers={"X-API-Key": key}, verify=trusted, trust_env=False, timeout=PROMISED_SECONDS
            )
            assert answer.status_code == 404

    def told() -> Told:
        return scrape(hardy_server.url, token)

    def asked(found: Told) -> float:
        labels = {"surface": "api", "operation": "get_item"}
        counted = value(found, "homeport_http_requests_total", status="404", **labels)
        assert counted == value(found, "homeport_http_request_duration_seconds_count", status="4xx", **labels)
        return counted

    before = asked(told())
    ask(20)
    assert [asked(told()) - before for _ in range(6)] == [20] * 6

    main = child_of_serve(hardy_server, "console.listener")
    starts = value(told(), "homeport_web_worker_starts_total")
    workers = living_children(main)
    for worker in workers:
        worker.kill()
    eventually(lambda: value(told(), "homeport_web_worker_starts_total") == starts + len(workers))
    ask(10)
    assert [asked(told()) - before for _ in range(4)] == [30] * 4
    # What they said of the moment they lived in went with them.
    assert value(told(), "homeport_postgres_pool_connections", state="limit") == 8 * len(workers)

    restarts = value(told(), "homeport_process_restarts_total", process="The job worker")
    kill(child_of_serve(hardy_server, "procrastinate"))
    eventually(lambda: value(told(), "homeport_process_restarts_total", process="The job worker") == restarts + 1)
    eventually(lambda: value(told(), "homeport_process_up", process="The job worker") == 1)
