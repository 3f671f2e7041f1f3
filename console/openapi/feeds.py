"""The operations on what became of items: their history, and the changes of a Base."""

from console.openapi.answers import answer
from console.openapi.operations import Operation
from storage import limits

_BEFORE = {"key": "ada", "age": 35}
_AFTER = {"key": "ada", "age": 36}
_CHANGE = {"key": "ada", "revision": 12, "at": 1795937576.701125, "by": "0f3a5c7e9b1d4f6a", "value": _AFTER}
_EVENTS = """retry: 2000
id: 4.1289

id: 4.1290
data: {"key":"ada","revision":12,"at":1795937576.701125,"by":"0f3a5c7e9b1d4f6a","value":{"key":"ada","age":36}}

"""
_CHANGES = answer(
    "Changes in their order.",
    "Changes",
    {"changes": [_CHANGE], "cursor": "4.1290", "more": False},
    links=("moreChanges",),
)
_CHANGES["content"] |= {"text/event-stream": {"schema": {"type": "string"}, "example": _EVENTS}}

OPERATIONS = (
    Operation(
        id="listVersions",
        method="get",
        path="/{collection_id}/{name}/history",
        tag="History and changes",
        summary="List the versions of an item",
        description="What an item was before and after each of its changes, newest first, as far as the history is kept. An item "
        "without one has no versions.",
        parameters=("HistoryKey", "Limit", "HistoryLast"),
        answers={
            200: answer(
                "A page of versions.",
                "Versions",
                {
                    "paging": {"size": 1},
                    "versions": [
                        {
                            "revision": 12,
                            "at": 1795937576.701125,
                            "by": "0f3a5c7e9b1d4f6a",
                            "before": _BEFORE,
                            "after": _AFTER,
                        }
                    ],
                },
            )
        },
        errors=("ItemsDistributed",),
    ),
    Operation(
        id="listChanges",
        method="get",
        path="/{collection_id}/{name}/changes",
        tag="History and changes",
        summary="List the changes of a Base, or follow them",
        description="Every change once and none lost, those of one key in the order in which they were made. To have all of a "
        "Base and keep it so: take a cursor (`since=now`), read the Base with a query, then its changes behind the cursor.\n\n"
        "With `Accept: text/event-stream` they come one by one as server-sent events, for as long as you stay. The `id` of an "
        "event is the cursor behind it, its `data` a change. A comment comes every "
        f"{limits.STREAM_BEAT_SECONDS:.0f} seconds without one. The last event is `end`, whose data has the `status` and the "
        "`errors` that a request would be answered with then.",
        parameters=("Since", "Limit", "ChangesQuery", "LastEventId"),
        answers={200: _CHANGES},
        errors=("BadQuery", "ItemsDistributed", "ChangesGone", "TooManyOrStreams", "UnreachableOrStreams"),
    ),
)
