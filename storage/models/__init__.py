"""Tables and constraints, nothing else, a module for each noun. What they mean is in the storage modules named alike."""

from storage.models.access_tokens import AccessToken, TerminalSignIn
from storage.models.archives import Export, Import, ImportProblem, SnapshotCopy, SnapshotSchedule
from storage.models.attribute_indexes import AttributeAsk, AttributeIndex
from storage.models.audit import AuditEntry
from storage.models.backups import BackupPlan, BackupRun
from storage.models.collections import Collection, DataKey, DataKeyAllowance, DataKeyUse, Deletion
from storage.models.duplications import Duplication, FileToCopy
from storage.models.events import EventMinute, PinnedEvent, Recording
from storage.models.figures import BaseFigures, Count, DriveFigures
from storage.models.files import Blob, DeletedFile, Drive, File, FileDeletion, Folder, Part, Upload
from storage.models.git_sources import GitFetch
from storage.models.item_changes import ChangedItem, ItemChange, SavedView
from storage.models.items import Base, Item, SaveReceipt
from storage.models.micro_runs import MicroRun, MicroSchedule
from storage.models.micros import Deployment, Micro, MicroDomain, MicroKey, MicroLine, MicroMinute
from storage.models.people import Invitation, Membership, Role, Session, SignInRules
from storage.models.scrubbing import DamagedBlob, ScrubRound
from storage.models.share_links import ShareLink
from storage.models.throttles import Throttle
from storage.models.thumbnails import Thumbnail
from storage.models.work_leases import WorkLease

__all__ = [
    "AccessToken",
    "AttributeAsk",
    "AttributeIndex",
    "AuditEntry",
    "BackupPlan",
    "BackupRun",
    "Base",
    "BaseFigures",
    "Blob",
    "ChangedItem",
    "Collection",
    "Count",
    "DamagedBlob",
    "DataKey",
    "DataKeyAllowance",
    "DataKeyUse",
    "DeletedFile",
    "Deletion",
    "Deployment",
    "Drive",
    "DriveFigures",
    "Duplication",
    "EventMinute",
    "Export",
    "File",
    "FileDeletion",
    "FileToCopy",
    "Folder",
    "GitFetch",
    "Import",
    "ImportProblem",
    "Invitation",
    "Item",
    "ItemChange",
    "Membership",
    "Micro",
    "MicroDomain",
    "MicroKey",
    "MicroLine",
    "MicroMinute",
    "MicroRun",
    "MicroSchedule",
    "Part",
    "PinnedEvent",
    "Recording",
    "Role",
    "SaveReceipt",
    "SavedView",
    "ScrubRound",
    "Session",
    "ShareLink",
    "SignInRules",
    "SnapshotCopy",
    "SnapshotSchedule",
    "TerminalSignIn",
    "Throttle",
    "Thumbnail",
    "Upload",
    "WorkLease",
]
