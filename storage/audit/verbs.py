"""The fixed vocabulary of the audit log: what can be done, of which kind that is, and how a page says it."""

from enum import StrEnum


class Kind(StrEnum):
    """What the log is filtered by."""

    SIGN_INS = "sign-ins"
    PEOPLE = "people"
    KEYS = "keys"
    DELETIONS = "deletions"
    SHARES = "shares"
    ARCHIVES = "archives"
    MICROS = "micros"
    SETTINGS = "settings"

    @property
    def label(self) -> str:
        return _KINDS[self]

    @property
    def verbs(self) -> list["Verb"]:
        return [verb for verb, (kind, _) in _VERBS.items() if kind is self]


class Verb(StrEnum):
    """What was done. The text is what is stored and exported, so it never changes."""

    SIGNED_IN = "sign-in"
    SIGN_IN_FAILED = "sign-in.failed"
    SIGN_IN_REFUSED = "sign-in.refused"
    SIGNED_OUT = "sign-out"
    SIGNED_OUT_EVERYWHERE = "sign-out.everywhere"
    PASSWORD_CHANGED = "password.change"  # noqa: S105 (a word)
    FACTOR_ADDED = "second-factor.add"
    FACTOR_REMOVED = "second-factor.remove"
    RECOVERY_CODES_MADE = "recovery-codes.create"
    SECOND_FACTOR_REQUIRED = "second-factor.require"
    OPENID_LINKED = "openid.link"
    OPENID_UNLINKED = "openid.unlink"
    EMAIL_NOTED = "person.email"
    OWNER_MADE = "person.owner"
    TERMINAL_ALLOWED = "terminal.allow"
    TERMINAL_REFUSED = "terminal.refuse"
    TOKEN_CREATED = "token.create"  # noqa: S105 (a word)
    TOKEN_FIRST_USED = "token.first-use"  # noqa: S105 (a word)
    TOKEN_REVOKED = "token.revoke"  # noqa: S105 (a word)
    ACCOUNT_CREATED = "account.create"
    ACCOUNT_REMOVED = "account.remove"
    INVITED = "invitation.create"
    INVITATION_WITHDRAWN = "invitation.withdraw"
    INVITATION_ACCEPTED = "invitation.accept"
    ROLE_CHANGED = "member.role"
    MEMBER_REMOVED = "member.remove"
    KEY_CREATED = "key.create"
    KEY_CHANGED = "key.change"
    KEY_REVOKED = "key.revoke"
    COLLECTION_DELETED = "collection.delete"
    BASE_DELETED = "base.delete"
    BASE_EMPTIED = "base.empty"
    BASE_RESTORED = "base.restore"
    DRIVE_DELETED = "drive.delete"
    DRIVE_EMPTIED = "drive.empty"
    DRIVE_RESTORED = "drive.restore"
    ITEMS_DELETED = "items.delete"
    ITEMS_RESTORED = "items.restore"
    FILES_DELETED = "files.delete"
    FILES_RESTORED = "files.restore"
    SWEPT = "server.sweep"
    RECONCILED = "server.reconcile"
    LINK_CREATED = "link.create"
    LINK_REVOKED = "link.revoke"
    EXPORT_REQUESTED = "export.create"
    EXPORT_TESTED = "export.test"
    EXPORT_DOWNLOADED = "export.download"
    EXPORT_DELETED = "export.delete"
    ITEMS_EXPORTED = "items.export"
    ITEMS_CHANGED = "items.change"
    FILES_ZIPPED = "files.zip"
    FILES_COPIED = "files.copy"
    REQUESTS_EXPORTED = "requests.export"
    IMPORT_STARTED = "import.upload"
    IMPORT_RUN = "import.run"
    IMPORT_DELETED = "import.delete"
    AUDIT_EXPORTED = "audit.export"
    BACKED_UP = "backup.create"
    DRILLED = "backup.drill"
    MICRO_CREATED = "micro.create"
    MICRO_DEPLOYED = "micro.deploy"
    MICRO_ROLLED_BACK = "micro.roll-back"
    MICRO_CHANGED = "micro.change"
    MICRO_VARIABLES_SET = "micro.variables"
    MICRO_DOMAIN_ADDED = "micro-domain.add"
    MICRO_DOMAIN_REMOVED = "micro-domain.remove"
    MICRO_KEY_CREATED = "micro-key.create"
    MICRO_KEY_REVOKED = "micro-key.revoke"
    MICRO_SCHEDULE_SET = "micro-schedule.set"
    MICRO_SCHEDULE_REMOVED = "micro-schedule.remove"
    MICRO_RUN = "micro.run"
    MICRO_RUN_CANCELLED = "micro.cancel-run"
    MICRO_DELETED = "micro.delete"
    COLLECTION_CREATED = "collection.create"
    COLLECTION_RENAMED = "collection.rename"
    BASE_CREATED = "base.create"
    BASE_RENAMED = "base.rename"
    BASE_MOVED = "base.move"
    BASE_ARRIVED = "base.arrive"
    INDEX_DROPPED = "base.drop-index"
    DRIVE_CREATED = "drive.create"
    DRIVE_RENAMED = "drive.rename"
    DRIVE_MOVED = "drive.move"
    DRIVE_ARRIVED = "drive.arrive"
    HISTORY_STARTED = "history.start"
    HISTORY_STOPPED = "history.stop"
    RECORDING_STARTED = "recording.start"
    RECORDING_STOPPED = "recording.stop"
    SNAPSHOTS_SET = "snapshots.set"
    BACKUPS_SET = "backup.set"
    ITEMS_DISTRIBUTED = "server.distribute"
    ITEMS_GATHERED = "server.gather"
    REQUEST_SENT = "request.send"

    @property
    def label(self) -> str:
        """The act as the beginning of a sentence that ends in what it was about."""
        return _VERBS[self][1]


_KINDS = {
    Kind.SIGN_INS: "Sign-ins and passwords",
    Kind.PEOPLE: "People and roles",
    Kind.KEYS: "Data keys",
    Kind.DELETIONS: "Deletions",
    Kind.SHARES: "Share links",
    Kind.ARCHIVES: "Exports and imports",
    Kind.MICROS: "Micros",
    Kind.SETTINGS: "Settings",
}
_VERBS = {
    Verb.SIGNED_IN: (Kind.SIGN_INS, "signed in"),
    Verb.SIGN_IN_FAILED: (Kind.SIGN_INS, "failed to sign in"),
    Verb.SIGN_IN_REFUSED: (Kind.SIGN_INS, "tried too often to sign in"),
    Verb.SIGNED_OUT: (Kind.SIGN_INS, "signed out"),
    Verb.SIGNED_OUT_EVERYWHERE: (Kind.SIGN_INS, "signed out everywhere"),
    Verb.PASSWORD_CHANGED: (Kind.SIGN_INS, "changed the password"),
    Verb.FACTOR_ADDED: (Kind.SIGN_INS, "added to the second factors"),
    Verb.FACTOR_REMOVED: (Kind.SIGN_INS, "removed from the second factors"),
    Verb.RECOVERY_CODES_MADE: (Kind.SIGN_INS, "made new recovery codes"),
    Verb.SECOND_FACTOR_REQUIRED: (Kind.SIGN_INS, "decided whether everybody needs a second factor"),
    Verb.OPENID_LINKED: (Kind.SIGN_INS, "linked to the OpenID Connect provider"),
    Verb.OPENID_UNLINKED: (Kind.SIGN_INS, "unlinked from the OpenID Connect provider"),
    Verb.TERMINAL_ALLOWED: (Kind.SIGN_INS, "allowed to sign in the terminal"),
    Verb.TERMINAL_REFUSED: (Kind.SIGN_INS, "refused to sign in the terminal"),
    Verb.TOKEN_CREATED: (Kind.SIGN_INS, "created the access token"),
    Verb.TOKEN_FIRST_USED: (Kind.SIGN_INS, "signed in for the first time with the access token"),
    Verb.TOKEN_REVOKED: (Kind.SIGN_INS, "revoked the access token"),
    Verb.EMAIL_NOTED: (Kind.PEOPLE, "set the e-mail address of"),
    Verb.OWNER_MADE: (Kind.PEOPLE, "made an owner of the server:"),
    Verb.ACCOUNT_CREATED: (Kind.PEOPLE, "created the account"),
    Verb.ACCOUNT_REMOVED: (Kind.PEOPLE, "removed the account"),
    Verb.INVITED: (Kind.PEOPLE, "invited"),
    Verb.INVITATION_WITHDRAWN: (Kind.PEOPLE, "withdrew the invitation for"),
    Verb.INVITATION_ACCEPTED: (Kind.PEOPLE, "accepted the invitation for"),
    Verb.ROLE_CHANGED: (Kind.PEOPLE, "changed the role of"),
    Verb.MEMBER_REMOVED: (Kind.PEOPLE, "removed from the collection"),
    Verb.KEY_CREATED: (Kind.KEYS, "created the data key"),
    Verb.KEY_CHANGED: (Kind.KEYS, "changed the data key"),
    Verb.KEY_REVOKED: (Kind.KEYS, "revoked the data key"),
    Verb.COLLECTION_DELETED: (Kind.DELETIONS, "deleted the collection"),
    Verb.BASE_DELETED: (Kind.DELETIONS, "deleted the Base"),
    Verb.BASE_EMPTIED: (Kind.DELETIONS, "emptied the Base"),
    Verb.BASE_RESTORED: (Kind.DELETIONS, "brought back the Base"),
    Verb.DRIVE_DELETED: (Kind.DELETIONS, "deleted the Drive"),
    Verb.DRIVE_EMPTIED: (Kind.DELETIONS, "emptied the Drive"),
    Verb.DRIVE_RESTORED: (Kind.DELETIONS, "brought back the Drive"),
    Verb.ITEMS_DELETED: (Kind.DELETIONS, "deleted items of the Base"),
    Verb.ITEMS_RESTORED: (Kind.DELETIONS, "undid a change of items of the Base"),
    Verb.FILES_DELETED: (Kind.DELETIONS, "deleted files of the Drive"),
    Verb.FILES_RESTORED: (Kind.DELETIONS, "restored deleted files of the Drive"),
    Verb.SWEPT: (Kind.DELETIONS, "swept the server"),
    Verb.RECONCILED: (Kind.DELETIONS, "reconciled the bucket with the database"),
    Verb.LINK_CREATED: (Kind.SHARES, "created a share link to"),
    Verb.LINK_REVOKED: (Kind.SHARES, "revoked a share link to"),
    Verb.EXPORT_REQUESTED: (Kind.ARCHIVES, "requested an export"),
    Verb.EXPORT_TESTED: (Kind.ARCHIVES, "requested a test of an export"),
    Verb.EXPORT_DOWNLOADED: (Kind.ARCHIVES, "downloaded an export"),
    Verb.EXPORT_DELETED: (Kind.ARCHIVES, "deleted an export"),
    Verb.ITEMS_EXPORTED: (Kind.ARCHIVES, "downloaded items of the Base"),
    Verb.REQUESTS_EXPORTED: (Kind.ARCHIVES, "downloaded recorded requests"),
    Verb.FILES_ZIPPED: (Kind.ARCHIVES, "downloaded a zip of files of the Drive"),
    Verb.IMPORT_STARTED: (Kind.ARCHIVES, "uploaded for import"),
    Verb.IMPORT_RUN: (Kind.ARCHIVES, "imported"),
    Verb.IMPORT_DELETED: (Kind.ARCHIVES, "deleted the import"),
    Verb.AUDIT_EXPORTED: (Kind.ARCHIVES, "downloaded the audit log"),
    Verb.BACKED_UP: (Kind.ARCHIVES, "asked for a backup of the server"),
    Verb.DRILLED: (Kind.ARCHIVES, "asked for a drill of the server's backups"),
    Verb.MICRO_CREATED: (Kind.MICROS, "created the Micro"),
    Verb.MICRO_DEPLOYED: (Kind.MICROS, "deployed the Micro"),
    Verb.MICRO_ROLLED_BACK: (Kind.MICROS, "rolled back the Micro"),
    Verb.MICRO_CHANGED: (Kind.MICROS, "changed the settings of the Micro"),
    Verb.MICRO_VARIABLES_SET: (Kind.MICROS, "changed the variables of the Micro"),
    Verb.MICRO_DOMAIN_ADDED: (Kind.MICROS, "added a domain to the Micro"),
    Verb.MICRO_DOMAIN_REMOVED: (Kind.MICROS, "removed a domain from the Micro"),
    Verb.MICRO_KEY_CREATED: (Kind.MICROS, "created an API key of the Micro"),
    Verb.MICRO_KEY_REVOKED: (Kind.MICROS, "revoked an API key of the Micro"),
    Verb.MICRO_SCHEDULE_SET: (Kind.MICROS, "set the schedule of the Micro"),
    Verb.MICRO_SCHEDULE_REMOVED: (Kind.MICROS, "removed the schedule of the Micro"),
    Verb.MICRO_RUN: (Kind.MICROS, "ran functions of the Micro"),
    Verb.MICRO_RUN_CANCELLED: (Kind.MICROS, "cancelled a run of the Micro"),
    Verb.MICRO_DELETED: (Kind.MICROS, "deleted the Micro"),
    Verb.COLLECTION_CREATED: (Kind.SETTINGS, "created the collection"),
    Verb.COLLECTION_RENAMED: (Kind.SETTINGS, "renamed the collection to"),
    Verb.ITEMS_CHANGED: (Kind.SETTINGS, "changed many items of the Base"),
    Verb.FILES_COPIED: (Kind.SETTINGS, "copied all files of the Drive"),
    Verb.BASE_CREATED: (Kind.SETTINGS, "created the Base"),
    Verb.BASE_RENAMED: (Kind.SETTINGS, "renamed the Base to"),
    Verb.BASE_MOVED: (Kind.SETTINGS, "moved to another collection the Base"),
    Verb.BASE_ARRIVED: (Kind.SETTINGS, "moved here from another collection the Base"),
    Verb.INDEX_DROPPED: (Kind.SETTINGS, "dropped an index of the Base"),
    Verb.DRIVE_CREATED: (Kind.SETTINGS, "created the Drive"),
    Verb.DRIVE_RENAMED: (Kind.SETTINGS, "renamed the Drive to"),
    Verb.DRIVE_MOVED: (Kind.SETTINGS, "moved to another collection the Drive"),
    Verb.DRIVE_ARRIVED: (Kind.SETTINGS, "moved here from another collection the Drive"),
    Verb.HISTORY_STARTED: (Kind.SETTINGS, "switched on the history of the Base"),
    Verb.HISTORY_STOPPED: (Kind.SETTINGS, "switched off the history of the Base"),
    Verb.RECORDING_STARTED: (Kind.SETTINGS, "started recording requests"),
    Verb.RECORDING_STOPPED: (Kind.SETTINGS, "stopped recording requests"),
    Verb.SNAPSHOTS_SET: (Kind.SETTINGS, "set the schedule of snapshots"),
    Verb.BACKUPS_SET: (Kind.SETTINGS, "changed how the server is backed up"),
    Verb.ITEMS_DISTRIBUTED: (Kind.SETTINGS, "distributed all items over several databases"),
    Verb.ITEMS_GATHERED: (Kind.SETTINGS, "brought all items back into one database"),
    Verb.REQUEST_SENT: (Kind.SETTINGS, "sent by hand the request"),
}
