"""What a server tells Prometheus, read by Prometheus' own client library."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

Told = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parse(text: str) -> Told:
    """Every sample by its name and its labels in order."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(url: str, token: str, *, ca: str | None = None) -> Told:
    """Over a connection of its own, which any of the processes may take."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"{url}/metrics", headers=headers, verify=ca or True, trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


def value(told: Told, name: str, **labels: str) -> float:
    """The sum of the samples of a name that have these labels."""
    return sum(number for (each, has), number in told.items() if each == name and labels.items() <= dict(has).items())
