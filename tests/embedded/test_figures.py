"""The figures of a whole server: whichever process is asked, and whatever became of those that counted."""

import signal
import ssl

import httpx
import pytest

from tests.embedded.conftest import METRICS_TOKEN
from tests.processes import living_children
from tests.prometheus import Told, scrape, value
from tests.serving import Server, child_of_serve, kill
from tests.waiting import PROMISED_SECONDS, eventually

pytestmark = pytest.mark.slow


def test_figures_are_whole_whichever_process_tells_them_and_whatever_became_of_the_others(
    hardy_server: Server,
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
        return scrape(hardy_server.url, METRICS_TOKEN)

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


@pytest.mark.slow
def test_a_database_that_hangs_is_told_with_what_is_known_without_it(hardy_server: Server) -> None:
    (postgres,) = hardy_server.children("postgres", at_any_depth=False)
    all_of_it = [postgres, *postgres.children(recursive=True)]
    for process in all_of_it:
        process.send_signal(signal.SIGSTOP)
    try:
        # What was asked half a second ago still counts.
        eventually(lambda: value(scrape(hardy_server.url, METRICS_TOKEN), "homeport_engine_up", engine="postgres") == 0)
        told = scrape(hardy_server.url, METRICS_TOKEN)
    finally:
        for process in all_of_it:
            process.send_signal(signal.SIGCONT)
    assert value(told, "homeport_figures_complete") == 0
    assert value(told, "homeport_engine_up", engine="postgres") == 0
    assert value(told, "homeport_engine_up", engine="s3") == 1
    assert value(told, "homeport_problems", key="postgres_down", level="bad") == 1
    assert value(told, "homeport_problems", key="unchecked", level="warn") == 1
    assert value(told, "homeport_disk_free_bytes") > 0
    eventually(lambda: value(scrape(hardy_server.url, METRICS_TOKEN), "homeport_figures_complete") == 1)
    assert value(scrape(hardy_server.url, METRICS_TOKEN), "homeport_engine_errors_total", engine="postgres") > 0
