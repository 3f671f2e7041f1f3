"""The named errors of the data plane. What status each becomes is decided in `console/error_status.py` alone.

`messages` holds what a person may be told: first the text that clients compare, then what is wrong and where.
"""


class StorageError(Exception):
    """Base of all errors that storage functions raise on purpose."""

    default = "Something is wrong"

    def __init__(self, *messages: str) -> None:
        super().__init__(*(messages or (self.default,)))

    @property
    def messages(self) -> tuple[str, ...]:
        return self.args

    @property
    def details(self) -> dict[str, object]:
        """What a program needs to know beside the messages."""
        return {}


class Unauthorized(StorageError):
    """The data key is missing, malformed, unknown, revoked, expired or another collection's: always told alike."""

    default = "Unauthorized"


class Forbidden(StorageError):
    """The data key is valid but lacks the right."""

    default = "Forbidden"


class InvalidInput(StorageError):
    """The caller sent something that breaks a rule; nothing was stored."""

    default = "Bad request"

    place = ""

    def within(self, step: str | int) -> "InvalidInput":
        """Name the place one level further out, on the way up: `a`, then 2, then `items` make `items[2].a`."""
        joiner = "." if self.place and not self.place.startswith("[") else ""
        self.place = (f"[{step}]" if isinstance(step, int) else step) + joiner + self.place
        return self

    @property
    def messages(self) -> tuple[str, ...]:
        first, *rest = self.args
        return (f"{first}, at {self.place}" if self.place else first, *rest)


class EmptyAttributeName(InvalidInput):
    """An attribute without a name. A PUT reports the item as failed and stores the others (contract: Base)."""

    default = "An attribute name is empty"


class BadQuery(InvalidInput):
    """A malformed query: what is wrong, and where. The first message is the one that clients compare.

    `index` is the place of the object in the query's list and `condition` the name of its entry, such as `age?gt`; each is
    None where the reason is not about one.
    """

    def __init__(self, reason: str, *, index: int | None = None, condition: str | None = None) -> None:
        self.reason, self.index, self.condition = reason, index, condition
        where = (
            "" if index is None else f"query[{index}]: " if condition is None else f"query[{index}], `{condition}`: "
        )
        super().__init__("Bad query", where + reason)


class UnknownOperator(BadQuery):
    """A condition whose `operator`, as it was written behind `?`, is none that exists, or empty."""

    def __init__(self, operator: str, *, attribute: str, index: int) -> None:
        self.operator, self.attribute = operator, attribute
        reason = f"unknown operator `?{operator}`" if operator else "the operator behind `?` is missing"
        super().__init__(reason, index=index, condition=f"{attribute}?{operator}")


class KeyExists(StorageError):
    """An insert met an item with its key."""

    default = "Key already exists"


class ItemNotFound(StorageError):
    """No item has this key, or it has expired."""

    default = "Key not found"


class BodyTooLarge(StorageError):
    """A file or part sent in one request is over its limit; the answer is HTML (contract: Drive)."""

    default = "Request entity too large"


class FileNotFound(StorageError):
    """The Drive has no file with this name."""

    default = "File not found"


class UploadNotFound(StorageError):
    """No such upload is open here under this file name."""

    default = "Upload not found"


class DriveNotFound(StorageError):
    """The collection has no Drive with this name."""

    default = "Drive not found"


class NamesTaken(StorageError):
    """Files with these names exist already; nothing was changed.

    `names` are the first of them, `count` says how many it are.
    """

    default = "Files with these names exist already"

    def __init__(self, names: list[str], count: int | None = None) -> None:
        super().__init__()
        self.names = names
        self.count = len(names) if count is None else count

    @property
    def details(self) -> dict[str, object]:
        return {"exists": True, "taken": self.names, "count": self.count}


class UploadMismatch(StorageError):
    """An upload holds more or fewer bytes than it was said to; it stays open."""

    default = "The upload has not the size it was started with"


class DeletionNotFound(StorageError):
    """No such deletion of files is known in this Drive."""

    default = "Deletion not found"


class UndoOver(StorageError):
    """The time in which a deletion can be undone has passed."""

    default = "It is too late to undo that"


class CollectionNotFound(StorageError):
    """No collection has this id."""

    default = "Collection not found"


class BaseNotFound(StorageError):
    """The collection has no Base of this name (yet). The public API knows no such thing: there it is empty."""

    default = "Base not found"


class SaveReused(StorageError):
    """A save's id came again with other changes, or from somebody else: nothing of it was applied."""

    default = "This save was sent before, with other changes"


class DataKeyNotFound(StorageError):
    """The collection has no data key with this id."""

    default = "Data key not found"


class ArchiveNotFound(StorageError):
    """The collection has no export or import with this id, or it is not in the state that this needs."""

    default = "That export or import is not there any more"


class OutOfPlace(StorageError):
    """A part of an archive begins elsewhere than where the last one ended. `expected` is where that is, in bytes."""

    default = "The archive goes on elsewhere"

    def __init__(self, expected: int) -> None:
        super().__init__()
        self.expected = expected

    @property
    def details(self) -> dict[str, object]:
        return {"received": self.expected}


class PersonNotFound(StorageError):
    """Nobody has this id, or not in this collection."""

    default = "Person not found"


class EventNotFound(StorageError):
    """The collection has no recorded request with this id, or no longer."""

    default = "This request is not recorded, or no longer"


class InvitationSpent(StorageError):
    """The invitation was used, withdrawn, or is too old."""

    default = "This invitation is spent"


class EngineUnreachable(StorageError):
    """Postgres or S3 did not answer in time; trying again later may help."""

    default = "Storage is not reachable at the moment, please try again"


class BlobMissing(StorageError):
    """A stored file's bytes are not in the bucket, or not all of them: somebody else changed the bucket."""

    default = "The file's bytes are not where they were stored"


class DiskFull(StorageError):
    """The engine has no room left; reads and deletes go on."""

    default = "Storage is full: free some space, then try again"
