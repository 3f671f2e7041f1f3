"""The Python client for Homeport: Base, Drive and Cloud Files, for apps that say `from deta import Deta`."""

from deta.base import FetchResponse, Util
from deta.deta import AsyncBase, AsyncDrive, Base, Deta, Drive
from deta.drive import AsyncDriveStreamingBody, DriveStreamingBody, FileStat
from deta.errors import (
    BadRequest,
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
from deta.micros import App, app

__version__ = "0.1.0"

__all__ = [
    "App",
    "AsyncBase",
    "AsyncDrive",
    "AsyncDriveStreamingBody",
    "BadRequest",
    "Base",
    "ConnectionFailed",
    "Deta",
    "DetaError",
    "Drive",
    "DriveStreamingBody",
    "FetchResponse",
    "FileChanged",
    "FileStat",
    "Forbidden",
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
    "app",
]
