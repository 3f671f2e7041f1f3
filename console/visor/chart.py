"""The small chart of requests and errors over time, as numbers for an SVG. Pure."""

from datetime import datetime
from typing import NamedTuple

from storage.events.queries import Slice

# Minutes that the chart shows, and of each bar.
SPANS = {"1h": ("1 hour", 60, 1), "24h": ("24 hours", 1_440, 15), "14d": ("14 days", 20_160, 240)}
HEIGHT = 48
_STEP = 10
_BAR = 8
# A single error among thousands is still to be seen.
_LEAST = 2


class Bar(NamedTuple):
    """A slice of time. `height` is that of all requests, `error_height` that of the errors, from the bottom."""

    x: int
    height: int
    error_height: int
    at: datetime
    requests: int
    errors: int

    @property
    def y(self) -> int:
        return HEIGHT - self.height

    @property
    def error_y(self) -> int:
        return HEIGHT - self.error_height


class Chart(NamedTuple):
    """Bars, and what they add up to."""

    bars: list[Bar]
    width: int
    bar_width: int
    height: int
    most: int
    requests: int
    errors: int
    lost: int


def make_chart(slices: list[Slice]) -> Chart:
    """From slices, oldest first. The highest bar is as high as the chart."""
    most = max((each.requests for each in slices), default=0)

    def height(count: int) -> int:
        return max(_LEAST, round(count * HEIGHT / most)) if count else 0

    bars = [
        Bar(place * _STEP, height(each.requests), height(each.errors), each.at, each.requests, each.errors)
        for place, each in enumerate(slices)
    ]
    sums = (sum(getattr(each, name) for each in slices) for name in ("requests", "errors", "lost"))
    return Chart(bars, len(bars) * _STEP - (_STEP - _BAR), _BAR, HEIGHT, most, *sums)
