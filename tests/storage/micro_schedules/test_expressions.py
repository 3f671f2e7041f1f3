"""What a schedule says, and when it comes: every form that the original's page shows, by times worked out by hand."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from storage.errors import InvalidInput
from storage.micro_schedules.expressions import read_expression

# A Friday. Two days later summer time begins in Europe, three weeks before it began in the United States.
FROM = datetime(2026, 3, 27, 12, 0, 30, tzinfo=UTC)

# The original's examples of rates and cron expressions, its table of what a field may hold, and the next ten times of each.
NEXT_TEN = {
    "1 minute": "27 12:01, 27 12:02, 27 12:03, 27 12:04, 27 12:05, 27 12:06, 27 12:07, 27 12:08, 27 12:09, 27 12:10",
    "5 minutes": "27 12:05, 27 12:10, 27 12:15, 27 12:20, 27 12:25, 27 12:30, 27 12:35, 27 12:40, 27 12:45, 27 12:50",
    "2 hours": "27 14:00, 27 16:00, 27 18:00, 27 20:00, 27 22:00, 28 00:00, 28 02:00, 28 04:00, 28 06:00, 28 08:00",
    "1 day": "28 12:00, 29 12:00, 30 12:00, 31 12:00, 4-01 12:00, 4-02 12:00, 4-03 12:00, 4-04 12:00, 4-05 12:00, 4-06 12:00",
    # At 10:00 every day.
    "0 10 * * ? *": (
        "28 10:00, 29 10:00, 30 10:00, 31 10:00, 4-01 10:00, 4-02 10:00, 4-03 10:00, 4-04 10:00, 4-05 10:00, 4-06 10:00"
    ),
    # At 12:15 every day.
    "15 12 * * ? *": (
        "27 12:15, 28 12:15, 29 12:15, 30 12:15, 31 12:15, 4-01 12:15, 4-02 12:15, 4-03 12:15, 4-04 12:15, 4-05 12:15"
    ),
    # At 18:00 from Monday to Friday.
    "0 18 ? * MON-FRI *": (
        "27 18:00, 30 18:00, 31 18:00, 4-01 18:00, 4-02 18:00, "
        "4-03 18:00, 4-06 18:00, 4-07 18:00, 4-08 18:00, 4-09 18:00"
    ),
    # At 8:00 on the first of each month.
    "0 8 1 * ? *": (
        "4-01 08:00, 5-01 08:00, 6-01 08:00, 7-01 08:00, 8-01 08:00, "
        "9-01 08:00, 10-01 08:00, 11-01 08:00, 12-01 08:00, 2027-1-01 08:00"
    ),
    # Every ten minutes from Monday to Friday.
    "0/10 * ? * MON-FRI *": (
        "27 12:10, 27 12:20, 27 12:30, 27 12:40, 27 12:50, 27 13:00, 27 13:10, 27 13:20, 27 13:30, 27 13:40"
    ),
    # Every five minutes from 8:00 to 17:55 from Monday to Friday.
    "0/5 8-17 ? * MON-FRI *": (
        "27 12:05, 27 12:10, 27 12:15, 27 12:20, 27 12:25, 27 12:30, 27 12:35, 27 12:40, 27 12:45, 27 12:50"
    ),
    # A comma: two hours; a dash: days 1 to 3; a slash: the 5th, 20th, 35th and 50th minute.
    "0 6,18 * * ? *": "27 18:00, 28 06:00, 28 18:00, 29 06:00, 29 18:00, 30 06:00, 30 18:00, 31 06:00, 31 18:00, 4-01 06:00",
    "30 9 1-3 * ? *": (
        "4-01 09:30, 4-02 09:30, 4-03 09:30, 5-01 09:30, 5-02 09:30, "
        "5-03 09:30, 6-01 09:30, 6-02 09:30, 6-03 09:30, 7-01 09:30"
    ),
    "5/15 * * * ? *": "27 12:05, 27 12:20, 27 12:35, 27 12:50, 27 13:05, 27 13:20, 27 13:35, 27 13:50, 27 14:05, 27 14:20",
    # The last day of the month, three days before it, its last working day.
    "0 0 L * ? *": (
        "31 00:00, 4-30 00:00, 5-31 00:00, 6-30 00:00, 7-31 00:00, "
        "8-31 00:00, 9-30 00:00, 10-31 00:00, 11-30 00:00, 12-31 00:00"
    ),
    "0 0 L-3 * ? *": (
        "28 00:00, 4-27 00:00, 5-28 00:00, 6-27 00:00, 7-28 00:00, "
        "8-28 00:00, 9-27 00:00, 10-28 00:00, 11-27 00:00, 12-28 00:00"
    ),
    "0 0 LW * ? *": (
        "31 00:00, 4-30 00:00, 5-29 00:00, 6-30 00:00, 7-31 00:00, "
        "8-31 00:00, 9-30 00:00, 10-30 00:00, 11-30 00:00, 12-31 00:00"
    ),
    # The working day next to the 3rd: of a Sunday the Monday, of a Saturday the Friday.
    "0 0 3W * ? *": (
        "4-03 00:00, 5-04 00:00, 6-03 00:00, 7-03 00:00, 8-03 00:00, "
        "9-03 00:00, 10-02 00:00, 11-03 00:00, 12-03 00:00, 2027-1-04 00:00"
    ),
    # The last Friday of the month; Saturday, the last day of the week.
    "0 0 ? * 6L *": (
        "4-24 00:00, 5-29 00:00, 6-26 00:00, 7-31 00:00, 8-28 00:00, "
        "9-25 00:00, 10-30 00:00, 11-27 00:00, 12-25 00:00, 2027-1-29 00:00"
    ),
    "0 0 ? * L *": (
        "28 00:00, 4-04 00:00, 4-11 00:00, 4-18 00:00, 4-25 00:00, "
        "5-02 00:00, 5-09 00:00, 5-16 00:00, 5-23 00:00, 5-30 00:00"
    ),
    # The second Tuesday of the month.
    "0 0 ? * 3#2 *": (
        "4-14 00:00, 5-12 00:00, 6-09 00:00, 7-14 00:00, 8-11 00:00, "
        "9-08 00:00, 10-13 00:00, 11-10 00:00, 12-08 00:00, 2027-1-12 00:00"
    ),
    "0 0 ? * TUE#2 *": (
        "4-14 00:00, 5-12 00:00, 6-09 00:00, 7-14 00:00, 8-11 00:00, "
        "9-08 00:00, 10-13 00:00, 11-10 00:00, 12-08 00:00, 2027-1-12 00:00"
    ),
    # Months and years by name and number.
    "0 0 1 JAN,JUL ? 2027-2030": (
        "2027-1-01 00:00, 2027-7-01 00:00, 2028-1-01 00:00, 2028-7-01 00:00, "
        "2029-1-01 00:00, 2029-7-01 00:00, 2030-1-01 00:00, 2030-7-01 00:00"
    ),
    "0 0 29 2 ? *": (
        "2028-2-29 00:00, 2032-2-29 00:00, 2036-2-29 00:00, 2040-2-29 00:00, 2044-2-29 00:00, "
        "2048-2-29 00:00, 2052-2-29 00:00, 2056-2-29 00:00, 2060-2-29 00:00, 2064-2-29 00:00"
    ),
    # Five Tuesdays has a February that begins with one, in a leap year: for decades none.
    "0 0 ? 2 3#5 *": "2028-2-29 00:00, 2056-2-29 00:00, 2084-2-29 00:00",
    "0 0 1 1 ? 2027": "2027-1-01 00:00",
}


def read_time(text: str) -> datetime:
    """`[[year-]month-]day hour:minute`, of March 2026 unless it says otherwise."""
    date, time = text.split()
    year, month, day = ["2026", "3", *date.split("-")][-3:] if date.count("-") < 2 else date.split("-")
    if date.count("-") == 1:
        year = "2026"
    hour, minute = time.split(":")
    return datetime(int(year), int(month), int(day), int(hour), int(minute), tzinfo=UTC)


@pytest.mark.parametrize("text", NEXT_TEN)
def test_the_next_ten_times_are_those_worked_out_by_hand(text: str) -> None:
    expected = [read_time(each) for each in NEXT_TEN[text].split(", ")]
    found = read_expression(text).next_times(FROM, 10)
    assert found[: len(expected)] == expected
    assert len(expected) in (len(found), 3)


@pytest.mark.parametrize("moment", [FROM, datetime(2026, 10, 24, 23, 59, tzinfo=UTC)])
def test_summer_time_changes_nothing(moment: datetime) -> None:
    """The night in which a clock of Berlin skips an hour, or has one twice, has 24 hours all the same."""
    berlin = timezone(timedelta(hours=1 if moment == FROM else 2))
    in_utc = read_expression("0 * * * ? *").next_times(moment, 48)
    assert read_expression("0 * * * ? *").next_times(moment.astimezone(berlin), 48) == in_utc
    assert {later - earlier for earlier, later in pairwise(in_utc)} == {timedelta(hours=1)}


def test_a_rate_counts_from_when_it_was_set() -> None:
    since = datetime(2026, 3, 27, 11, 3, 50, tzinfo=UTC)
    found = read_expression("1 hour").next_times(FROM, 2, since=since)
    assert found == [datetime(2026, 3, 27, 12, 3, tzinfo=UTC), datetime(2026, 3, 27, 13, 3, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("1 minutes", "1 minute"),
        ("5 minute", "5 minutes"),
        ("  5   Minutes ", "5 minutes"),
        ("rate(2 hours)", "2 hours"),
        ("cron(0 10 * * ? *)", "0 10 * * ? *"),
        ("0 12 ? * mon-fri *", "0 12 ? * MON-FRI *"),
        ("0\t10  * * ?\n*", "0 10 * * ? *"),
    ],
)
def test_what_is_typed_is_taken_leniently(typed: str, text: str) -> None:
    assert read_expression(typed).text == text


SIX = "minutes, hours, day of the month, month, day of the week, year"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Say when it runs: a rate such as “5 minutes”, or a cron expression such as “0 10 * * ? *”"),
        ("0 minutes", "A rate is between 1 minute and 366 days"),
        ("367 days", "A rate is between 1 minute and 366 days"),
        ("5 weeks", "“weeks” is no unit of a rate: minutes, hours and days are"),
        (
            "soon",
            f"“soon” is neither a rate such as “5 minutes” nor a cron expression, which has six fields ({SIX})",
        ),
        (
            "0 10 * * *",
            f"A cron expression has six fields ({SIX}): this looks like another system's five; here it would be “0 10 * * ? *”",
        ),
        (
            "*/5 * * * 0,3-5",
            f"A cron expression has six fields ({SIX}): this looks like another system's five; "
            "here it would be “*/5 * ? * SUN,WED-FRI *”",
        ),
        ("0 0 10 * * ? *", f"A cron expression has six fields ({SIX}), and this one has 7"),
        ("60 * * * ? *", "“60” can't be the minutes: 0 to 59, with , - * /"),
        ("0/0 * * * ? *", "“0/0” can't be the minutes: 0 to 59, with , - * /"),
        ("*-5 * * * ? *", "“*-5” can't be the minutes: 0 to 59, with , - * /"),
        ("? * * * ? *", "“?” can't be the minutes: 0 to 59, with , - * /"),
        ("0 24 * * ? *", "“24” can't be the hours: 0 to 23, with , - * /"),
        ("0 0 32 * ? *", "“32” can't be the day of the month: 1 to 31, with , - * / ? and L or W (L, L-3, LW, 15W)"),
        ("0 0 1 13 ? *", "“13” can't be the month: 1 to 12 or JAN to DEC, with , - * /"),
        (
            "0 0 ? * 3#6 *",
            "“3#6” can't be the day of the week: 1 (Sunday) to 7 or SUN to SAT, with , - * ? and L or # (6L, MON#2)",
        ),
        ("0 0 1 1 ? 1969", "“1969” can't be the year: 1970 to 2199, with , - * /"),
        (
            "* * * * * *",
            "Of the two fields for a day one is “?” and the other is not: "
            "here the day of the month is “*” and the day of the week “*”",
        ),
        (
            "0 0 ? * ? *",
            "Of the two fields for a day one is “?” and the other is not: "
            "here the day of the month is “?” and the day of the week “?”",
        ),
        ("1," * 100 + "2 * * * ? *", "A schedule has at most 200 characters"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(typed: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_expression(typed)
    assert refused.value.messages == (words,)


@pytest.mark.parametrize("text", ["0 0 31 2 ? *", "0 0 1 1 ? 2020"])
def test_what_never_comes_has_no_next_time(text: str) -> None:
    assert read_expression(text).next_time(FROM) is None
