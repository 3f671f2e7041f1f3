"""The dashboard and the alerts in `deploy/`: they are read by a parser of their language, and ask for what there is."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml

from storage.monitoring.figures import DESCRIBED
from tests.serving import ROOT

DEPLOY = ROOT / "deploy"
# What a family is called where it is asked for.
ENDINGS = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
TOLD = {name + end: described for name, described in DESCRIBED.items() for end in ENDINGS[described.kind]}


def alerts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"][0]["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DEPLOY / "grafana/homeport.json").read_text())["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    yield from ((rule["alert"], rule["expr"]) for rule in alerts())
    for panel in panels():
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*")


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """Every series that an expression asks for. Raises ValueError where it is none."""
    found: list[promql_parser.VectorSelector] = []

    def look(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(expression), look)
    return found


def test_every_expression_is_one_and_asks_for_figures_and_labels_that_there_are() -> None:
    asked = set()
    for title, expression in expressions():
        for selector in selectors(expression):
            if selector.name == "up":
                continue
            assert selector.name in TOLD, (title, selector.name)
            known = {*TOLD[selector.name].labels, "le", "instance", "job"}
            named = {matcher.name for matcher in selector.matchers.matchers}
            assert named <= known, (title, expression)
            asked.add(selector.name)
        assert selectors(expression), title
    # Somebody looks at nearly everything that is told.
    families = {name for name in DESCRIBED if any(each.startswith(name) for each in asked)}
    assert len(families) > len(DESCRIBED) * 0.8, set(DESCRIBED) - families


def test_problems_wake_somebody_and_every_alert_says_what_it_is_about() -> None:
    assert {'homeport_problems{level="bad"}', 'homeport_problems{level="warn"}'} <= {
        match for rule in alerts() for match in re.findall(r"homeport_problems\{[^}]*\}", rule["expr"])
    }
    for rule in alerts():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]


def test_panels_stand_side_by_side_and_have_names_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_the_configuration_reads_the_rules_and_sends_a_token() -> None:
    read = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    (job,) = read["scrape_configs"]
    assert read["rule_files"] == ["alerts.yml"]
    assert job["metrics_path"] == "/metrics"
    assert job["authorization"]["type"] == "Bearer"
    assert 'up{job="homeport"}' in alerts()[0]["expr"]
    assert job["job_name"] == "homeport"


@pytest.mark.parametrize("wrong", ["sum(rate(homeport_items[5m])", "homeport_items{", "rate(5)"])
def test_the_parser_refuses_what_is_no_expression(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"unclosed|expected"):
        selectors(wrong)
