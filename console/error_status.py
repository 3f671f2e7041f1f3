"""The one table from errors to statuses, for the public API and the pages.

`console/json_views.py` makes the answer. HTTP's own errors, which storage does not know, are defined here.
"""

from collections.abc import Mapping

from storage import errors, limits


class RequestError(errors.StorageError):
    """An error of HTTP's own. `headers` go out with its answer."""

    headers: Mapping[str, str] = {}


class UnknownPath(RequestError):
    default = "Not found"


class MethodNotAllowed(RequestError):
    """`allowed` is what the `Allow` header says."""

    default = "Method not allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__()
        self.headers = {"Allow": allowed}


class EncodedBody(RequestError):
    default = "A body with a Content-Encoding is not accepted: send it as it is"


class RangeNotSatisfiable(RequestError):
    """The range begins after the end of a file of `size_bytes`."""

    default = "The range is not in the file"

    def __init__(self, size_bytes: int) -> None:
        super().__init__()
        self.headers = {"Content-Range": f"bytes */{size_bytes}"}


class TooManyWrongKeys(RequestError):
    """The address used too many wrong keys; it may try again after `wait_seconds`."""

    default = "Too many requests with a wrong data key from this address"

    def __init__(self, wait_seconds: int) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(wait_seconds)}


class TooManyRequests(RequestError):
    """The data key made more requests than its limit of `most` a second; the next may come in `wait_seconds`."""

    default = "Too many requests with this data key"

    def __init__(self, most: int, *, wait_seconds: int) -> None:
        super().__init__(self.default, f"It may make {most:,} a second")
        self.headers = {"Retry-After": str(max(1, wait_seconds))}


class TooManyBytes(RequestError):
    """The data key moved more bytes than its limit of `most` a day; the next day begins in `wait_seconds`."""

    default = "This data key has used up its bytes for today"

    def __init__(self, most: int, *, wait_seconds: int) -> None:
        super().__init__(self.default, f"It may move {most:,} a day; a day begins at 00:00 UTC")
        self.headers = {"Retry-After": str(max(1, wait_seconds))}


class TooManyStreams(RequestError):
    """The data key, or the person, follows as many streams of this process as one may."""

    default = "Too many streams at once"

    def __init__(self) -> None:
        super().__init__(self.default, f"At most {limits.STREAMS_OF_ONE:,} are open for one key or person")
        self.headers = {"Retry-After": str(limits.STREAM_RETRY_AFTER_SECONDS)}


class StreamsBusy(RequestError):
    """This process has as many streams as it can."""

    default = "The server has as many open streams as it can, please try again"

    def __init__(self) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(limits.STREAM_RETRY_AFTER_SECONDS)}


class HashingBusy(RequestError):
    """Too many passwords wait to be looked at."""

    default = "Many people are signing in at this moment. Wait a few seconds, then try again."

    def __init__(self) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(limits.RETRY_AFTER_SECONDS)}


class TooManyTries(RequestError):
    """A page's script asked too often; it may ask again after `wait_seconds`."""

    default = "Too many attempts. Wait a few minutes."

    def __init__(self, wait_seconds: int) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(wait_seconds)}


class SecondFactorOwed(RequestError):
    """A page's script sent a request for somebody who has yet to set up the second factor that is required."""

    default = "Set up two-factor sign-in first: reload the page."


class SignedOut(RequestError):
    """A page's script sent a request after the session ended."""

    default = "You are signed out. Sign in again in another tab."


STATUS: dict[type[errors.StorageError], int] = {
    errors.InvalidInput: 400,
    errors.Unauthorized: 401,
    SignedOut: 401,
    errors.Forbidden: 403,
    SecondFactorOwed: 403,
    errors.SignInRefused: 403,
    errors.AccessTokenNotFound: 404,
    errors.ArchiveNotFound: 404,
    errors.BaseNotFound: 404,
    errors.ChangeNotFound: 404,
    errors.CollectionNotFound: 404,
    errors.DataKeyNotFound: 404,
    errors.DeletionNotFound: 404,
    errors.DeploymentNotFound: 404,
    errors.DriveNotFound: 404,
    errors.DuplicationNotFound: 404,
    errors.EventNotFound: 404,
    errors.FileNotFound: 404,
    errors.GitFetchNotFound: 404,
    errors.ItemNotFound: 404,
    errors.MicroKeyNotFound: 404,
    errors.RunNotFound: 404,
    errors.MicroNotFound: 404,
    errors.PersonNotFound: 404,
    errors.ShareLinkNotFound: 404,
    errors.SignInNotFound: 404,
    errors.UploadNotFound: 404,
    errors.ViewNotFound: 404,
    UnknownPath: 404,
    MethodNotAllowed: 405,
    errors.AlreadyTaken: 409,
    errors.ItemsDistributed: 409,
    errors.KeyExists: 409,
    errors.NamesTaken: 409,
    errors.OutOfPlace: 409,
    errors.SaveReused: 409,
    errors.ChangesGone: 410,
    errors.HistoryNotKept: 410,
    errors.InvitationSpent: 410,
    errors.SignInOver: 410,
    errors.UndoOver: 410,
    errors.RevisionDiffers: 412,
    errors.BodyTooLarge: 413,
    EncodedBody: 415,
    RangeNotSatisfiable: 416,
    errors.UploadMismatch: 422,
    TooManyBytes: 429,
    TooManyRequests: 429,
    TooManyStreams: 429,
    TooManyTries: 429,
    TooManyWrongKeys: 429,
    errors.BlobMissing: 500,
    errors.SecretsUnreadable: 500,
    errors.EngineUnreachable: 503,
    errors.HostUnreachable: 503,
    HashingBusy: 503,
    StreamsBusy: 503,
    errors.TooManySignIns: 503,
    errors.DiskFull: 507,
}


def status_of(error: errors.StorageError) -> int:
    """The status of a named error: its class's, or that of the nearest class above it."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def headers_of(error: errors.StorageError) -> Mapping[str, str]:
    """The headers that go out with a named error."""
    if isinstance(error, RequestError):
        return error.headers
    if isinstance(error, errors.EngineUnreachable | errors.HostUnreachable | errors.TooManySignIns):
        return {"Retry-After": str(limits.RETRY_AFTER_SECONDS)}
    return {}
