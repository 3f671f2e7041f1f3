"""What items were before (contract: Base, History): the versions of one, and the moment a query asks about."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from console.api.endpoint import Call, endpoint, reads
from console.api.query_strings import read_query
from console.api.replies import Reply
from console.api.request import ApiRequest
from storage import limits, names
from storage.errors import InvalidInput
from storage.exact_json import dump, is_number
from storage.history import versions
from storage.history.authors import author_id
from storage.history.timelines import NO_END
from storage.history.versions import Version

_WHOLE = re.compile(r"[0-9]{1,19}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Of the years 1 to 9999, which a moment can have.
_FIRST, _LAST = -62_135_596_800, 253_402_300_799


def list_versions(call: Call, request: ApiRequest) -> Reply:
    asked = read_query(request.META["QUERY_STRING"])
    page = versions.list_versions(
        access=call.access,
        base=call.name,
        key=names.check_key(asked.get("key")),
        limit=read_limit(asked.get("limit", "")),
        last=read_place("last", asked.get("last", "")),
    )
    paging = {"size": len(page.versions)} | ({} if page.last is None else {"last": str(page.last)})
    texts = ",".join(_text_of(call.access.collection_id, version) for version in page.versions)
    return Reply(f'{{"paging":{dump(paging).decode()},"versions":[{texts}]}}'.encode())


def read_moment(given: Any) -> datetime:
    """What `as_of` means. Raises InvalidInput."""
    if not is_number(given) or not _FIRST <= given <= _LAST:
        raise InvalidInput("Bad moment", "`as_of` is not a number of seconds since 1970")
    return _EPOCH + timedelta(microseconds=round(Decimal(given) * 1_000_000))


def seconds_of(moment: datetime) -> float:
    """A moment as the API tells it: Unix seconds, exact to the microsecond."""
    return moment.timestamp()


def read_limit(given: str) -> int:
    """The `limit` of a query string, for as many as a query may answer. Raises InvalidInput."""
    if not given:
        return limits.QUERY_LIMIT_MAX
    if not _WHOLE.fullmatch(given) or int(given) < 1:
        raise InvalidInput("Bad limit", "`limit` is not a whole number from 1 on")
    return min(int(given), limits.QUERY_LIMIT_MAX)


def read_place(name: str, given: str) -> int | None:
    """The version that a place in a list stands for, None for the beginning. Raises InvalidInput."""
    if not given:
        return None
    if not _WHOLE.fullmatch(given) or int(given) > NO_END:
        raise InvalidInput(f"Bad {name}", f"`{name}` is not what an answer said")
    return int(given)


def _text_of(collection_id: str, version: Version) -> str:
    by = author_id(collection_id, by_key=version.by_key, by_person=version.by_person)
    about = {"revision": version.revision, "at": seconds_of(version.at), "by": by}
    if not version.is_kept:
        about["is_kept"] = False
    text = dump(about).decode()
    return f'{text[:-1]},"before":{version.before or "null"},"after":{version.after or "null"}}}'


history = endpoint(GET=reads(list_versions))
