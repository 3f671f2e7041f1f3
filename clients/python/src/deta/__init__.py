"""The Python client for Homeport: Base, Drive and Cloud Files, for apps that say `from deta import Deta`."""

from deta.base import FetchResponse, HistoryResponse, Util, _Base
from deta.deta import AsyncBase, AsyncDrive, Base, Deta, Drive
from deta.drive import AsyncDriveStreamingBody, DriveStreamingBody, FileStat, _Drive
from deta.errors import (
    BadRequest,
    ChangesGone,
    ConnectionFailed,
    DetaError,
    FileChanged,
    Forbidden,
    InvalidArgument,
    InvalidType,
    KeyExists,
    MayHaveBeenApplied,
    NotFound,
    NotStored,
    ResponseError,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from deta.mail import send_email
from deta.micros import App, app
from deta.utils import _get_project_key_id

__version__ = "0.1.0"

__all__ = [
    "App",
    "AsyncBase",
    "AsyncDrive",
    "AsyncDriveStreamingBody",
    "BadRequest",
    "Base",
    "ChangesGone",
    "ConnectionFailed",
    "Deta",
    "DetaError",
    "Drive",
    "DriveStreamingBody",
    "FetchResponse",
    "FileChanged",
    "FileStat",
    "Forbidden",
    "HistoryResponse",
    "InvalidArgument",
    "InvalidType",
    "KeyExists",
    "MayHaveBeenApplied",
    "NotFound",
    "NotStored",
    "ResponseError",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "Util",
    "_Base",
    "_Drive",
    "_get_project_key_id",
    "app",
    "send_email",
]
