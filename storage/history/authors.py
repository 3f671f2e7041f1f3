"""Who made a change, as the public API tells it: an id of a data key or a person that says nothing else about them.

It stays the same within a collection and differs between collections. It is derived with the server's secret, so nobody can tell
which number is behind it; whoever may know the collection's keys and people can look them up by it.
"""

from collections.abc import Iterable

from django.utils.crypto import salted_hmac

_CHARACTERS = 16


def author_id(collection_id: str, *, by_key: int | None, by_person: int | None) -> str | None:
    """The opaque id of a data key or a person; None for neither, which is the server itself."""
    if by_key is None and by_person is None:
        return None
    who = f"p{by_person}" if by_key is None else f"k{by_key}"
    return salted_hmac("storage.history.authors", f"{collection_id} {who}", algorithm="sha256").hexdigest()[
        :_CHARACTERS
    ]


def find_author(
    collection_id: str, author: str, *, key_ids: Iterable[int], person_ids: Iterable[int]
) -> tuple[int | None, int | None]:
    """Which of these data keys or people has the opaque id: the key's number, or the person's; (None, None) for none of them."""
    for key_id in key_ids:
        if author_id(collection_id, by_key=key_id, by_person=None) == author:
            return key_id, None
    for person_id in person_ids:
        if author_id(collection_id, by_key=None, by_person=person_id) == author:
            return None, person_id
    return None, None
