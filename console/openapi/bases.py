"""The operations on items of a Base."""

from console.openapi.answers import answer, empty
from console.openapi.operations import Operation, json_body
from storage import limits

_ITEMS, _ITEM, _QUERY = (
    "/{collection_id}/{name}/items",
    "/{collection_id}/{name}/items/{key}",
    "/{collection_id}/{name}/query",
)
_ADA = {"key": "ada", "name": "Ada", "age": 36, "tags": ["mathematics"]}
_OF_ITEM = ("getItem", "updateItem", "deleteItem", "listVersions")

OPERATIONS = (
    Operation(
        id="putItems",
        method="put",
        path=_ITEMS,
        tag="Items",
        summary="Store or replace items",
        description=f"Stores or replaces 1 to {limits.ITEMS_PER_PUT} items in one transaction. The body has at most "
        f"{limits.BODY_MAX_BYTES:,} bytes; a larger one is a 400. With `If-Match` it takes one item.",
        parameters=("IfMatch",),
        body=json_body(
            "PutItems",
            {
                "An item with a key of your own": {"items": [_ADA]},
                "An item whose key is generated, and which expires": {
                    "items": [{"text": "See you", "__expires": 1795937576}]
                },
            },
        ),
        answers={
            207: answer(
                "The items are stored, but for those under `failed`.",
                "StoredItems",
                {"processed": {"items": [_ADA]}},
                headers=("ETag", "Item-Revisions"),
                links=("getPutItem", "updatePutItem", "deletePutItem", "historyOfPutItem"),
            )
        },
        errors=("BadItems", "RevisionDiffers"),
        writes=True,
    ),
    Operation(
        id="insertItem",
        method="post",
        path=_ITEMS,
        tag="Items",
        summary="Store an item whose key is not taken",
        description="Stores an item if none has its key. An expired item does not take its key.",
        body=json_body("InsertItem", {"An item": {"item": _ADA}}),
        answers={201: answer("The item is stored.", "Item", _ADA, headers=("ETag", "Item-Revisions"), links=_OF_ITEM)},
        errors=("BadItems", "KeyExists"),
        writes=True,
    ),
    Operation(
        id="getItem",
        method="get",
        path=_ITEM,
        tag="Items",
        summary="Get an item",
        description="The item as it is now.",
        parameters=("IfNoneMatch",),
        answers={
            200: answer("The item.", "Item", _ADA, headers=("ETag",)),
            304: empty("The item has the revision that you have.", headers=("ETag",)),
        },
        errors=("NoSuchItem",),
    ),
    Operation(
        id="updateItem",
        method="patch",
        path=_ITEM,
        tag="Items",
        summary="Change attributes of an item",
        description="Changes attributes of an item that is there, atomically: of many increments at once none is lost. The "
        "target of an increment has to be a number, that of `append` and `prepend` a list, and the level above each has to be an "
        'object. `{"set": {"__expires": n}}` renews the expiry; other updates leave it as it is.',
        parameters=("IfMatch",),
        body=json_body(
            "UpdateItem",
            {
                "Set, count and add to a list": {
                    "set": {"name": "Ada Lovelace"},
                    "increment": {"age": 1},
                    "append": {"tags": ["engines"]},
                },
                "Take an attribute away": {"delete": ["tags"]},
            },
        ),
        answers={
            200: answer(
                "The item is changed.",
                "UpdatedItem",
                {"key": "ada", "set": {"name": "Ada Lovelace"}, "increment": {"age": 1}},
                headers=("ETag", "Item-Revisions"),
            )
        },
        errors=("BadUpdate", "KeyNotFound", "RevisionDiffers"),
        writes=True,
    ),
    Operation(
        id="deleteItem",
        method="delete",
        path=_ITEM,
        tag="Items",
        summary="Delete an item",
        description="Answers the same whether there was one or not, unless `If-Match` expects one.",
        parameters=("IfMatch",),
        answers={200: answer("There is no item with this key.", "Key", {"key": "ada"})},
        errors=("RevisionDiffers",),
        writes=True,
    ),
    Operation(
        id="queryItems",
        method="post",
        path=_QUERY,
        tag="Items",
        summary="Find items",
        description="The items that match, sorted by the bytes of their keys, in pages of about 1 MB. Where a scan stopped "
        "first, `items` may be short or empty while `paging.last` says where to go on. With `as_of` the items as they were at "
        "that moment, as far as the history is kept.",
        body=json_body(
            "QueryItems",
            {
                "Everything": {},
                "Adults, or whoever has a tag": {
                    "query": [{"age?gte": 18}, {"tags?contains": "mathematics"}],
                    "limit": 100,
                },
                "The next page, backwards": {"query": {"name?pfx": "A"}, "last": "ada", "sort": "desc"},
            },
        ),
        answers={
            200: answer(
                "A page of items.",
                "FoundItems",
                {"paging": {"size": 1, "last": "ada"}, "items": [_ADA]},
            )
        },
        errors=("BadQuery", "ItemsDistributed", "NotKept"),
    ),
)
