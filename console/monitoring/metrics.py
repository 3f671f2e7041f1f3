"""`/metrics` for Prometheus: all figures, whichever process answers, for who has a token.

Cookies count for nothing here. The token is `HOMEPORT_METRICS_TOKEN`, or an access token of an owner of the server.
"""

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from console.accounts.second_factor import factors
from console.cli_api.gate import read_token
from console.error_status import TooManyWrongKeys
from console.json_views import error_response
from console.monitoring.observed import observe
from console.wrong_keys import count_wrong_key
from storage.access_tokens import tokens
from storage.counting.counted import BUCKETS
from storage.errors import StorageError, Unauthorized
from storage.monitoring.figures import DESCRIBED, Figures

_ENDS = [*map(floatToGoString, BUCKETS), "+Inf"]


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    request.user = AnonymousUser()  # whatever the request has for a cookie
    try:
        _let_in(request)
    except Unauthorized as error:
        wait_seconds = count_wrong_key(request.META["REMOTE_ADDR"])
        response = error_response(TooManyWrongKeys(wait_seconds) if wait_seconds else error)
        response["WWW-Authenticate"] = "Bearer"
        return response
    except StorageError as error:
        return error_response(error)
    registry = CollectorRegistry()
    registry.register(_Told(observe()))
    encode, content_type = choose_encoder(request.META.get("HTTP_ACCEPT", ""))
    return HttpResponse(encode(registry), content_type=content_type)


metrics.takes_tokens = True  # type: ignore[attr-defined]  # the sign-in of pages is not for it


def _let_in(request: HttpRequest) -> None:
    """Raises Unauthorized, and EngineUnreachable where the database has to be asked."""
    token = read_token(request)
    if not token:
        raise Unauthorized("Unauthorized", "Figures need a token: `Authorization: Bearer TOKEN`")
    ours = settings.METRICS_TOKEN
    if ours and constant_time_compare(token, ours):
        return
    bearer = tokens.check_token(token, address=request.META.get("REMOTE_ADDR", ""))
    if not bearer.person.is_superuser or factors.owes_second_factor(bearer.person):
        raise Unauthorized("Unauthorized", "The access token is not of an owner of this server")


class _Told(Collector):
    """Figures in the words of Prometheus."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        for name, (kind, labels, text) in DESCRIBED.items():
            numbers = self._figures.of(name)
            if kind == "histogram":
                histogram = HistogramMetricFamily(name, text, labels=labels)
                for values, (total, *buckets) in numbers.items():
                    histogram.add_metric(values, list(zip(_ENDS, _running(buckets), strict=True)), total)
                yield histogram
                continue
            family = (CounterMetricFamily if kind == "counter" else GaugeMetricFamily)(name, text, labels=labels)
            for values, (number,) in numbers.items():
                family.add_metric(values, number)
            yield family


def _running(buckets: list[float]) -> Iterator[float]:
    total = 0.0
    for count in buckets:
        total += count
        yield total
