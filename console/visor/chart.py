"""The small chart of requests and errors over time, as numbers for an SVG. Pure."""

from datetime import datetime
from typing import NamedTuple

from storage.events.queries import Slice


class Span(NamedTuple):
    """How long the chart shows: in words, in minutes, the minutes of a bar, and these in words."""

    label: str
    minutes: int
    bar_minutes: int
    per: str


SPANS = {
    "1h": Span("1 hour", 60, 1, "1 minute"),
    "24h": Span("24 hours", 1_440, 15, "15 minutes"),
    "14d": Span("14 days", 20_160, 240, "4 hours"),
}
HEIGHT = 48
_STEP = 10
_BAR = 8
_MARKS = 4
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
    """Bars, what they add up to, and the times along their foot. `most` is what the highest bar stands for, per `per`."""

    bars: list[Bar]
    width: int
    bar_width: int
    height: int
    most: int
    requests: int
    errors: int
    lost: int
    per: str
    marks: list[datetime]

    @property
    def mark_kind(self) -> str:
        """How a time along the foot is written: as a "day" where the bars are hours."""
        return "day" if "hours" in self.per else "minute"


def make_chart(slices: list[Slice], span: Span) -> Chart:
    """From slices of this span, oldest first. The highest bar is as high as the chart."""
    most = max((each.requests for each in slices), default=0)

    def height(count: int) -> int:
        return max(_LEAST, round(count * HEIGHT / most)) if count else 0

    bars = [
        Bar(place * _STEP, height(each.requests), height(each.errors), each.at, each.requests, each.errors)
        for place, each in enumerate(slices)
    ]
    requests, errors, lost = (sum(getattr(each, name) for each in slices) for name in ("requests", "errors", "lost"))
    marks = [each.at for each in slices[:: len(slices) // _MARKS]][:_MARKS]
    return Chart(bars, len(bars) * _STEP - (_STEP - _BAR), _BAR, HEIGHT, most, requests, errors, lost, span.per, marks)
