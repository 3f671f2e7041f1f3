"""The named errors of the data plane. What status each becomes is decided in `console/error_status.py` alone.

`messages` holds what a person may be told: first the text that clients compare, then what is wrong and where.
"""


class StorageError(Exception):
    """Base of all errors that storage functions raise on purpose."""

    default = "Something went wrong"

    def __init__(self, *messages: str) -> None:
        super().__init__(*(messages or (self.default,)))

    @property
    def messages(self) -> tuple[str, ...]:
        return self.args

    @property
    def details(self) -> dict[str, object]:
        """The fields that a program needs, besides the messages."""
        return {}


class Unauthorized(StorageError):
    """The data key is missing, malformed, unknown, revoked, expired or another collection's: one answer for all."""

    default = "Unauthorized"


class Forbidden(StorageError):
    """The data key is valid but lacks the right."""

    default = "Forbidden"


class InvalidInput(StorageError):
    """The caller sent something that breaks a rule; nothing was stored."""

    default = "Bad request"

    place = ""

    def within(self, step: str | int) -> "InvalidInput":
        """Add the next outer step to the place: `a`, then 2, then `items` make `items[2].a`."""
        joiner = "." if self.place and not self.place.startswith("[") else ""
        self.place = (f"[{step}]" if isinstance(step, int) else step) + joiner + self.place
        return self

    @property
    def messages(self) -> tuple[str, ...]:
        first, *rest = self.args
        return (f"{first}, at {self.place}" if self.place else first, *rest)


class HistoryNotKept(StorageError):
    """What is asked for lies before what is kept of a Base's history."""

    default = "Not kept"


class ItemsDistributed(HistoryNotKept):
    """What is asked for lives by the notes of each change of an item, which nobody makes where items are distributed over
    several servers (docs/citus.md).
    """

    default = "Items are distributed"

    def __init__(self) -> None:
        super().__init__(
            self.default, "They lie on several servers: there is no history of them, and no feed of their changes"
        )


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
    """A condition whose `operator`, as written after `?`, does not exist or is empty."""

    def __init__(self, operator: str, *, attribute: str, index: int) -> None:
        self.operator, self.attribute = operator, attribute
        reason = f"unknown operator `?{operator}`" if operator else "the operator behind `?` is missing"
        super().__init__(reason, index=index, condition=f"{attribute}?{operator}")


class KeyExists(StorageError):
    """An insert found an item with its key."""

    default = "Key already exists"


class RevisionDiffers(StorageError):
    """The item is not at a revision that the write expects, or not there. Nothing was changed."""

    default = "The item has another revision"


class ItemNotFound(StorageError):
    """No item has this key, or it has expired."""

    default = "Key not found"


class BodyTooLarge(StorageError):
    """The request's body is over its limit. The public API answers it in HTML (contract: Drive)."""

    default = "The request is too large"


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

    `names` are the first of them, `count` is how many there are.
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
    """The upload has more or fewer bytes than announced; it stays open."""

    default = "The upload's size differs from the size it was started with"


class DeletionNotFound(StorageError):
    """The Drive has no deletion of files with this id."""

    default = "Deletion not found"


class ChangeNotFound(StorageError):
    """The collection has no change of many items with this id; it may have been long ago."""

    default = "Change not found"


class DuplicationNotFound(StorageError):
    """No copy of this Drive, or into it, has this id; it may have been long ago."""

    default = "Copy not found"


class ViewNotFound(StorageError):
    """The Base has no saved view with this id."""

    default = "View not found"


class UndoOver(StorageError):
    """The deletion, or the change, can no longer be undone."""

    default = "This can no longer be undone"


class ChangesGone(StorageError):
    """The changes behind a cursor aren't kept any more, or never were on this server. `cursor` is where to go on after the Base
    was read anew.
    """

    def __init__(self, reason: str, cursor: str) -> None:
        super().__init__(
            "Changes gone", f"{reason}: read the Base anew with /query, then go on from the `cursor` in this answer"
        )
        self.cursor = cursor

    @property
    def details(self) -> dict[str, object]:
        return {"cursor": self.cursor}


class CollectionNotFound(StorageError):
    """No collection has this id."""

    default = "Collection not found"


class BaseNotFound(StorageError):
    """The collection has no Base with this name. To the public API such a Base is empty, and this is never raised."""

    default = "Base not found"


class SaveReused(StorageError):
    """A save's id was used before with other changes or by somebody else; nothing was applied."""

    default = "This save was already sent with other changes: reload the page"


class DataKeyNotFound(StorageError):
    """The collection has no data key with this id."""

    default = "Data key not found"


class ArchiveNotFound(StorageError):
    """The collection has no export or import with this id, or it is in another state than this needs."""

    default = "Export or import not found, or already under way: reload the page"


class OutOfPlace(StorageError):
    """A part of an archive does not begin where the last one ended: at `expected`, in bytes."""

    default = "This part does not begin where the last one ended"

    def __init__(self, expected: int) -> None:
        super().__init__()
        self.expected = expected

    @property
    def details(self) -> dict[str, object]:
        return {"received": self.expected}


class PersonNotFound(StorageError):
    """No person has this id, or none in this collection."""

    default = "Person not found"


class EventNotFound(StorageError):
    """The collection has no recorded request with this id; it may have been deleted."""

    default = "Recorded request not found: it may have been deleted"


class MicroNotFound(StorageError):
    """The collection has no Micro with this id."""

    default = "Micro not found"


class DeploymentNotFound(StorageError):
    """The Micro has no deployment with this id, or its code is no longer kept."""

    default = "Deployment not found, or its code is no longer kept"


class AccessTokenNotFound(StorageError):
    """The person has no access token with this id."""

    default = "There is no such access token"


class SignInNotFound(StorageError):
    """No terminal asks under this id, or it is not this one."""

    default = "There is no such sign-in. Run `deta login` again"


class SignInRefused(StorageError):
    """The person refused the terminal in the browser."""

    default = "The sign-in was refused in the browser"


class SignInOver(StorageError):
    """The terminal was answered already, or waited for too long."""

    default = "This sign-in is over. Run `deta login` again"


class TooManySignIns(StorageError):
    """Very many terminals wait to be let in."""

    default = "Too many terminals are signing in at this moment. Wait a few minutes, then try again"


class GitFetchNotFound(StorageError):
    """The collection has no fetched repository with this id; it may have been deployed, or forgotten after a day."""

    default = "This repository was deployed already, or not within a day: fetch it again"


class MicroKeyNotFound(StorageError):
    """The Micro has no API key with this id or name."""

    default = "API key not found"


class RunNotFound(StorageError):
    """The Micro has no such run, or it is no longer kept."""

    default = "Run not found, or no longer kept"


class AlreadyTaken(StorageError):
    """Something else has this name already; nothing was changed."""

    default = "This name is taken"


class BundleRefused(InvalidInput):
    """What was deployed cannot be taken: what is wrong, and where. Nothing was stored."""

    default = "This can't be deployed"


class SecretsUnreadable(StorageError):
    """What was encrypted in the database was so with another secret key than this server has."""

    default = (
        "The variables of this Micro can't be read: they were encrypted with another secret key. "
        "Start the server with the key it had, or set the variables anew"
    )


class HostUnreachable(StorageError):
    """What runs Micros does not answer; trying again later may help."""

    default = "What runs Micros is not reachable at the moment, please try again"


class InvitationSpent(StorageError):
    """The invitation was used or withdrawn, has expired, or whoever made it may no longer invite."""

    default = "This invitation was used or withdrawn, or has expired"


class ShareLinkNotFound(StorageError):
    """There is no such share link, or it has expired, was revoked, or its file is gone."""

    default = "This link no longer works"


class EngineUnreachable(StorageError):
    """Postgres or S3 did not answer in time; trying again later may help."""

    default = "Storage is not reachable at the moment, please try again"


class BlobMissing(StorageError):
    """Some of a stored file's bytes are missing from the bucket: somebody else changed it."""

    default = "The file's bytes are missing from storage"


class DiskFull(StorageError):
    """There is no space left to write; reads and deletes still work."""

    default = "Storage is full: free some space, then try again"
