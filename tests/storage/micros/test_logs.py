"""Lines are kept in their order, read from anywhere, found again, and swept."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from storage import limits
from storage.micro_logs import logs
from storage.micro_logs.logs import Line, Source
from storage.micros import figures, micros
from storage.micros.figures import Counted, Figures
from storage.models import MicroLine, MicroMinute
from storage.postgres import clock
from tests.micros import make_micro

pytestmark = pytest.mark.usefixtures("host")
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def texts(micro_id: str, **chosen: object) -> list[str]:
    return [line.text for line in logs.list_lines(micro_id=micro_id, **chosen)]  # type: ignore[arg-type]


def add(micro_id: str, *lines: str) -> None:
    assert logs.add_lines([Line(micro_id=micro_id, at=clock.now(), text=text) for text in lines])


def test_lines_are_read_from_the_end_and_from_anywhere() -> None:
    micro = make_micro()
    add(micro.id, *map(str, range(10)))
    newest = logs.list_lines(micro_id=micro.id, limit=3)
    assert [line.text for line in newest] == ["7", "8", "9"]
    assert texts(micro.id, before=newest[0].id, limit=3) == ["4", "5", "6"]
    assert texts(micro.id, after=newest[0].id, limit=3) == ["8", "9"]
    assert texts(micro.id, after=newest[-1].id) == []
    assert texts(micro.id, limit=1_000_000) == list(map(str, range(10)))
    assert texts(make_micro().id) == texts("\x00") == []


def test_lines_are_found_by_what_they_say_and_what_they_are_of() -> None:
    micro, other, request, deployment = make_micro(), make_micro(), uuid4(), uuid4()
    logs.add_lines(
        [
            Line(micro_id=micro.id, at=NOW, text="50% of Äpfel_", request_id=request),
            Line(micro_id=micro.id, at=NOW, text="Traceback", source=Source.ERROR, request_id=request),
            Line(micro_id=micro.id, at=NOW, text="Installed", source=Source.BUILD, deployment_id=deployment),
            Line(micro_id=other.id, at=NOW, text="forged", request_id=request),
        ]
    )
    assert texts(micro.id, request_id=request) == ["50% of Äpfel_", "Traceback"]
    assert texts(micro.id, deployment_id=deployment) == ["Installed"]
    assert texts(micro.id, sources=[Source.ERROR, Source.BUILD]) == ["Traceback", "Installed"]
    assert texts(micro.id, search="0% OF äpf") == ["50% of Äpfel_"]
    assert texts(micro.id, search="L_") == ["50% of Äpfel_"]
    assert texts(micro.id, search="%") == ["50% of Äpfel_"]
    assert texts(micro.id, search="\x00") == []
    line = logs.list_lines(micro_id=micro.id, sources=[Source.ERROR])[0]
    assert (line.at, line.source, line.request_id, line.deployment_id) == (NOW, Source.ERROR, request, None)


def test_a_line_is_cut_and_what_no_text_can_hold_is_shown() -> None:
    micro = make_micro()
    add(micro.id, "x" * (limits.MICRO_LINE_MAX_CHARACTERS + 1), "a\x00b\ud800c", "")
    long, odd, empty = texts(micro.id)
    assert long == "x" * (limits.MICRO_LINE_MAX_CHARACTERS - 1) + "…"
    assert (odd, empty) == ("a\ufffdb\ufffdc", "")
    assert logs.add_lines([])


def test_what_is_too_much_too_old_or_nobodys_is_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SWEEP_BATCH_ROWS", 3)
    monkeypatch.setattr(limits, "MICRO_LINES_KEPT", 5)
    micro, gone = make_micro(), make_micro("gone")
    old = clock.now() - timedelta(days=limits.MICRO_LINES_KEPT_DAYS, hours=1)
    logs.add_lines([Line(micro_id=micro.id, at=old, text="old") for _ in range(4)])
    add(micro.id, *map(str, range(12)))
    add(gone.id, "gone")
    micros.delete_micro(collection_id=gone.collection_id, micro_id=gone.id, typed_name="gone")
    add(gone.id, "after its end")
    logs.sweep_lines()
    assert texts(micro.id) == ["7", "8", "9", "10", "11"]
    assert not MicroLine.objects.filter(micro_id=gone.id).exists()


def test_requests_are_counted_by_the_minute_and_summed_by_the_hour() -> None:
    micro, quiet = make_micro(), make_micro()
    minute = int(clock.now().timestamp()) // 60
    figures.add_figures(
        [
            Counted(micro.id, minute, 3, 1),
            Counted(micro.id, minute, 2, 0),
            Counted(micro.id, minute - 30, 10, 2),
            Counted(micro.id, minute - 61, 100, 100),
        ]
    )
    figures.add_figures([Counted(micro.id, minute, 1, 1)])
    figures.add_figures([])
    assert figures.find_last_hour([micro.id, quiet.id]) == {micro.id: Figures(16, 4), quiet.id: Figures()}
    assert [(each.minute, each.requests, each.errors) for each in figures.list_minutes(micro_id=micro.id)] == [
        (minute - 30, 10, 2),
        (minute, 6, 2),
    ]
    figures.add_figures(
        [Counted(micro.id, minute - limits.MICRO_FIGURES_KEPT_MINUTES - 2, 1, 0), Counted("gone", minute, 1, 0)]
    )
    figures.sweep_figures()
    kept = MicroMinute.objects.filter(micro_id__in=[micro.id, "gone"])
    assert sorted(kept.values_list("micro_id", "minute")) == [
        (micro.id, each) for each in (minute - 61, minute - 30, minute)
    ]
