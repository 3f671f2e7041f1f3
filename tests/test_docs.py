"""The documentation says what is true: settings, limits, paths, links, pictures, and the sections that code cites."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.goals import GOALS
from bench.verdicts import NOT_MEASURED, bound_text
from console import listener
from console.server import limits as server_limits
from storage import limits
from storage.audit.verbs import Kind
from tests.waiting import LONG_SECONDS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md"))
TEXTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", *PAGES]
PICTURE_MAX_BYTES = 120_000

# What a person or an app meets, and how the page says it.
TOLD = {
    "limits.md": {
        "ITEM_MAX_BYTES": "an item, as compact JSON | {:,} bytes",
        "KEY_MAX_BYTES": "a key | {:,} bytes",
        "NAME_MAX_CHARACTERS": "the name of a Base or Drive | {:,} characters",
        "ITEMS_PER_PUT": "items in one put | {:,} |",
        "ITEMS_PER_SUCCESSOR_PUT": "by `Authorization: Token` | {:,} |",
        "BODY_MAX_BYTES": "a request body to a Base | {:,} bytes",
        "QUERY_LIMIT_MAX": "items in one answer to a query | {:,},",
        "QUERY_MAX_OBJECTS": "a query | {:,} objects",
        "QUERY_MAX_CONDITIONS": "with {:,} conditions",
        "SCAN_MAX_ROWS": "about 1 MB or {:,} items",
        "HISTORY_SCAN_MAX_ROWS": "an earlier moment looks at | about 1 MB or {:,} items",
        "STREAMS_MAX": "streams of changes | {:,} in each process",
        "STREAMS_OF_ONE": "of these {:,} for one data key or person",
        "STREAM_UNSENT_BYTES": "a stream's client has not taken | {:,} bytes",
        "NUMBER_MAX_DIGITS": "numbers | {:,} significant digits",
        "NUMBER_MAX_EXPONENT": "exponents within ±{:,}",
        "NESTING_MAX_LEVELS": "nesting | {:,} levels",
        "CHANGES_PER_SAVE": "edits saved at once | {:,},",
        "EDITS_BODY_MAX_BYTES": "10,000, and {:,} bytes |\n| rows",
        "IMPORT_MAX_BYTES": "rows pasted or imported | 10,000, and {:,} bytes",
        "QUERY_TEXT_MAX_CHARACTERS": "the text in the bar | {:,} characters",
        "SEARCH_MAX_CHARACTERS": "words searched for | {:,} characters",
        "SORT_MAX_ITEMS": "matches sorted by an attribute without an index | {:,} |",
        "ATTRIBUTE_INDEXES_PER_BASE": "indexes of attributes of one Base | {:,} |",
        "SORT_MAX_ATTRIBUTES": "attributes sorted by | {:,} |",
        "CHANGE_KEYS_MAX": "items of a selection that are changed at once | {:,};",
        "CHANGES_WAITING_MAX": "changes of many items that wait in a collection | {:,} |",
        "HISTORY_ROWS_BACK_MAX": "versions of items brought back at once | {:,} |",
        "UNDO_BATCH_ITEMS": "of what one writer did | {:,},",
        "UNDO_BATCH_MAX_BYTES": "250, and {:,} bytes of what they were",
        "VIEWS_PER_BASE": "saved views of a Base | {:,},",
        "VIEW_NAME_MAX_CHARACTERS": "each with a name of at most {:,} characters",
        "COUNT_EXACT_MAX": "items counted exactly | {:,} |",
        "FILE_BODY_MAX_BYTES": "and a part of an upload | {:,} bytes",
        "PARTS_MAX": "parts of an upload | {:,},",
        "PART_MIN_BYTES": "each but the last at least {:,} bytes",
        "FILE_NAME_MAX_BYTES": "a file's name | {:,} bytes",
        "CONTENT_TYPE_MAX_CHARACTERS": "a file's content type | {:,} characters",
        "NAMES_PER_LIST": "names in one listing or delete | {:,} |",
        "NAMES_PER_DELETE": "names in one listing or delete | {:,} |",
        "SORTED_FILES_MAX": "sorted by anything but names | {:,} files",
        "DUPLICATIONS_WAITING_MAX": "Drives of a collection that are being copied | {:,} at a time",
        "THUMBNAIL_SOURCE_MAX_BYTES": "a picture that gets a thumbnail | {:,} bytes",
        "THUMBNAIL_MAX_PIXELS": "bytes, {:,} pixels",
        "THUMBNAILS_WAITING_MAX": "thumbnails that wait to be made | {:,} |",
        "SHARE_LINKS_MAX": "share links of one Drive | {:,},",
        "SHARE_LINK_HOURS_MAX": "each good for {:,} hours",
        "SHARE_DOWNLOADS_OF_ONE_LINK": "downloads at once by one share link, and by all | {:,} and",
        "SHARE_DOWNLOADS_AT_ONCE": "and {:,} in each web worker; more are told",
        "SHARE_PASSWORD_MAX_CHARACTERS": "the password of a share link | {:,} characters",
        "FOLDER_COUNTED_FILES": "the size of a folder in a list | counts {:,} files",
        "MOVE_MAX_FILES": "files in one zip | {:,} |",
        "ZIP_MAX_FILES": "files in one zip | {:,} |",
        "PREVIEW_MAX_PIXELS": "an image that is shown | {:,} pixels",
        "PREVIEW_TEXT_BYTES": "a text that is shown | its first {:,} bytes",
        "PREVIEW_ROWS": "a table that is shown | its first {:,} rows",
        "PREVIEW_COLUMNS": "rows and {:,} columns",
        "PREVIEW_PDF_BYTES": "a PDF that is shown | {:,} bytes",
        "WORK_CPU_SECONDS": "comparing two answers | {:,} seconds",
        "WORK_MEMORY_BYTES": "processor time and {:,} bytes of memory",
        "WORKS_AT_ONCE": "of memory, {:,} at once in each process",
        "WORK_WAIT_SECONDS": "to begin within {:,.0f} seconds",
        "WRONG_KEYS_PER_MINUTE": "wrong data keys from one address | {:,} a minute",
        "KEY_REQUESTS_PER_SECOND_MAX": "1 to {:,} requests a second",
        "KEY_BYTES_PER_DAY_MAX": "1 to {:,} bytes a day",
        "AUDIT_NAMES_MAX": "people in the filter of the audit log | the first {:,}",
        "AUDIT_FAILED_SIGN_INS_PER_HOUR": "entries of failed sign-ins in the audit log | {:,} an hour",
        "ACCESS_TOKEN_DAYS": "an access token | is good for {:,} days",
        "ACCESS_TOKEN_DAYS_MAX": "and for at most {:,} |",
        "ACCESS_TOKENS_MAX": "access tokens of one person | {:,} that are good",
        "ACCESS_TOKEN_NAME_MAX_CHARACTERS": "the name of a device | {:,} visible",
        "TERMINAL_SIGN_IN_MINUTES": "is forgotten after {:,} minutes",
        "TERMINAL_SIGN_INS_FROM_ONE_ADDRESS": "terminals that ask | {:,} from one address",
        "TERMINAL_SIGN_INS_MAX": "then 429; {:,} in all",
        "SIGN_IN_WRONG_VERIFIERS": "the terminal that asked | {:,}, then",
        "CLI_COLLECTIONS_MAX": "collections that a terminal is told | the first {:,}",
        "CLI_EVENTS_PER_PAGE": "recorded requests in an answer to a terminal | {:,};",
        "DATA_KEY_DAYS_MAX": "or for 1 to {:,} days |",
        "MICROS_PER_COLLECTION": "Micros in a collection | {:,} |",
        "MICRO_NAME_MAX_CHARACTERS": "a Micro's name | {:,} visible",
        "SUBDOMAIN_MIN_CHARACTERS": "a sub-domain | {:,} to",
        "SUBDOMAIN_MAX_CHARACTERS": "to {:,} letters, digits and `-`",
        "MICRO_DOMAINS_MAX": "domains of one Micro's own | {:,} |",
        "MICRO_KEYS_MAX": "API keys of one Micro | {:,},",
        "MICRO_TEXT_MAX_CHARACTERS": "each described in at most {:,} characters",
        "MICRO_BUNDLE_MAX_FILES": "packed and unpacked, in at most {:,} files",
        "MICRO_DEPENDENCIES_MAX_FILES": "| 250 MB, in at most {:,} files",
        "MICRO_DEPLOYMENTS_KEPT": "the newest {:,} that started",
        "MICRO_DEPLOYMENTS_LISTED": "that serves; {:,} are listed",
        "MICRO_DEPLOYMENTS_WAITING_MAX": "deployments of one Micro that wait | {:,} |",
        "MICRO_ATTEMPTS_MAX": "after {:,} attempts it is given up",
        "MANIFEST_MAX_BYTES": "a Spacefile | {:,} bytes;",
        "MANIFEST_CRON_MAX_CHARACTERS": "a schedule in it {:,} characters",
        "GIT_ARCHIVE_MAX_MB": "that is deployed | {:,} MB of files",
        "GIT_SECONDS": "fetched within {:,} seconds",
        "GIT_ADDRESS_MAX_CHARACTERS": "its address {:,} characters",
        "GIT_BRANCH_MAX_CHARACTERS": "a branch {:,} |",
        "GIT_FETCHES_KEPT": "fetched and not deployed | {:,} of one collection",
        "MICRO_BUILDS_AT_ONCE": "deployments made at once | {:,} on each machine",
        "MICRO_VARIABLES_MAX": "variables of one Micro | {:,},",
        "MICRO_VARIABLE_NAME_MAX_CHARACTERS": "with names of at most {:,} characters",
        "MICRO_VARIABLES_MAX_BYTES": "and {:,} bytes together",
        "MICRO_IDLE_MINUTES": "after {:,} minutes without a request",
        "MICRO_IDLE_MINUTES_MAX": "set to up to {:,}",
        "MICRO_BODY_MAX_BYTES": "a request's body | {:,} bytes",
        "MICRO_HEADERS_MAX_BYTES": "an app's answer | {:,} bytes",
        "MICRO_REQUESTS_AT_ONCE": "| {:,} by one Micro and",
        "MICROS_REQUESTS_AT_ONCE": "and {:,} by all of them",
        "MICRO_BACKLOG": "connections to one Micro that wait | {:,} |",
        "MICRO_EXPRESSION_MAX_CHARACTERS": "a schedule | {:,} characters",
        "MICRO_RATE_MAX_DAYS": "a rate is 1 minute to {:,} days",
        "MICRO_SCHEDULE_LOOK_AHEAD_YEARS": "is looked for {:,} years ahead",
        "MICRO_RUN_INPUT_MAX_BYTES": "a run's input | {:,} bytes of JSON",
        "MICRO_ACTION_MAX_CHARACTERS": "an action of at most {:,} characters",
        "MICRO_RUN_ANSWER_MAX_BYTES": "of which {:,} bytes are kept",
        "MICRO_RUNS_AT_ONCE": "runs made at once | {:,} on each machine",
        "MICRO_LONG_RUNS_AT_ONCE": "and {:,} long ones",
        "MICRO_RUNS_OF_ONE_AT_ONCE": "long ones; {:,} of one Micro",
        "MICRO_RUNS_WAITING_MAX": "runs of one Micro that wait | {:,};",
        "MICRO_RUNS_KEPT_DAYS": "of one Micro, for {:,} days",
        "MICRO_RUN_BODIES_KEPT": "input and answer of the newest {:,}",
        "MICRO_LINE_MAX_CHARACTERS": "a line in a log | {:,} characters",
        "MICRO_LINES_PER_SECOND": "lines in a log | {:,} a second",
        "MICRO_LINES_AT_ONCE": "after {:,} at once",
        "MICRO_LINES_KEPT": "the newest {:,} are kept, for",
        "MICRO_LINES_KEPT_DAYS": "are kept, for {:,} days",
        "TRANSFERS_AT_ONCE": "files on their way at once | {:,} in each process",
    },
    "audit.md": {"AUDIT_TEXT_MAX_CHARACTERS": "cut at {:,} characters"},
    "visor.md": {
        "EVENTS_KEPT_DAYS": "how long requests are kept | {:,} days",
        "EVENTS_MAX_BYTES": "kept of one collection | {:,} bytes",
        "EVENT_BODY_MAX_BYTES": "kept of a body | {:,} bytes",
        "EVENT_TEXT_MAX_CHARACTERS": "a query string, a header | {:,} characters",
        "EVENT_HEADERS_MAX": "headers kept of a request or an answer | {:,} |",
        "EVENTS_PINNED_MAX": "pinned requests | {:,} in",
        "EVENT_LOOK_MAX": "one page of a filter looks at | {:,} requests",
        "HAR_EVENTS_MAX": "a HAR file | {:,} requests",
        "HAR_MAX_CHARACTERS": "with {:,} characters of bodies",
        "REPLAY_BODY_MAX_BYTES": "a body written in the HTTP client | {:,} bytes",
        "REPLAY_HEADERS_MAX": "with up to {:,} headers",
    },
    "archives.md": {
        "IMPORT_TYPES_LOOK_ITEMS": "the first {:,} of the Base",
        "ARCHIVE_ENTRIES_MAX": "an archive that is imported | {:,} entries",
        "ARCHIVE_RATIO_MAX": "and {:,} times its own size",
        "ARCHIVE_MAX_BYTES": "sent through the console | {:,} bytes",
        "ARCHIVE_PROBLEMS_KEPT": "problems that an import lists | {:,};",
        "ARCHIVES_WAITING_MAX": "of one collection that are not done | {:,};",
        "SNAPSHOTS_KEPT_MAX": "snapshots kept | {:,} of",
    },
    "console.md": {
        "SIGN_IN_TRIES_FOR_ONE_NAME": "| {:,} for one name from one address | 5 minutes |",
        "SIGN_IN_TRIES_FROM_ONE_ADDRESS": "| {:,} for all names from one address | 5 minutes |",
        "SIGN_IN_TRIES_FROM_ANYWHERE": "| {:,} for one name from everywhere | an hour |",
        "SHARE_PASSWORD_TRIES": "tried {:,} times for a link from one address within 5 minutes",
        "SHARE_PASSWORD_TRIES_FROM_ANYWHERE": "and {:,} times from everywhere within an hour",
        "SIGN_IN_TRIES_FROM_KNOWN_BROWSER": "| {:,} from a browser that this person signed in with before | 5 minutes |",
    },
    "base-ui.md": {
        "SORT_MAX_ITEMS": "sorts the first {:,} matches",
        "UNDO_BATCH_ITEMS": "up to {:,} items at a time. It says",
        "OVERVIEW_MAX_ROWS": "looks at {:,} items",
        "CHANGES_PER_SAVE": "and {:,} rows",
        "CHANGES_PER_BATCH": "transactions of up to {:,}",
    },
    "http-api.md": {
        "BODY_MAX_BYTES": "at most {:,} bytes",
        "ITEM_MAX_BYTES": "at most {:,} bytes of compact",
        "KEY_MAX_BYTES": "1 to {:,} bytes of UTF-8 without NUL",
        "FILE_NAME_MAX_BYTES": "name has 1 to {:,} bytes",
        "NAME_MAX_CHARACTERS": "1 to {:,} characters",
        "COLLECTION_ID_CHARACTERS": "`_`: {:,} lower-case letters",
        "SECRET_CHARACTERS": "the secret has {:,} letters",
        "ITEMS_PER_PUT": "1 to {:,} items",
        "ITEMS_PER_SUCCESSOR_PUT": "a bare list of up to {:,} items",
        "NUMBER_MAX_DIGITS": "up to {:,} significant digits",
        "NESTING_MAX_LEVELS": "up to {:,} levels",
        "QUERY_LIMIT_MAX": "`limit` is {:,} unless given",
        "QUERY_MAX_OBJECTS": "At most {:,} objects",
        "QUERY_MAX_CONDITIONS": "and {:,} conditions",
        "SCAN_MAX_ROWS": "about 1 MB of\ndata or {:,} items",
        "HISTORY_SCAN_MAX_ROWS": "page looks at about 1 MB or {:,} items",
        "FILE_BODY_MAX_BYTES": "The body is the file, at most {:,} bytes",
        "PART_MIN_BYTES": "at least {:,} unless it",
        "PARTS_MAX": "number 1 to {:,},",
        "NAMES_PER_LIST": "`limit` is {:,} unless given",
        "NAMES_PER_DELETE": "1 to {:,} names",
        "WRONG_KEYS_PER_MINUTE": "more than {:,} wrong keys a minute",
    },
}
# Numbers that a page says in other units than the code.
IN_OTHER_UNITS = {
    "STREAM_BEAT_SECONDS": ("http-api.md", "every 15 seconds without a change", 15.0),
    "STREAM_RIGHTS_SECONDS": ("http-api.md", "within two seconds after the key was revoked", 1.0),
    "STREAM_POLL_SECONDS": ("http-api.md", "usually within half a second", 0.25),
    "STREAM_RETRY_MS": ("http-api.md", "retry: 2000", 2_000),
    "ANSWER_MAX_BYTES": ("limits.md", "and about 1 MB", 1_048_576),
    "SCAN_MAX_BYTES": ("limits.md", "about 1 MB or", 1_048_576),
    "UPLOAD_KEPT_SECONDS": ("limits.md", "is forgotten after 24 hours", 86_400),
    "CHANGE_UNDO_SECONDS": ("limits.md", "can be undone for 24 hours", 86_400),
    "DUPLICATION_KEPT_SECONDS": ("limits.md", "is told for 24 hours", 86_400),
    "UNDO_SECONDS": ("limits.md", "can be brought back for 10 minutes", 600),
    "BACKUP_WAIT_SECONDS": ("limits.md", "wait for that, 24 hours at most", 86_400),
    "GARBAGE_KEPT_SECONDS": ("limits.md", "are deleted after an hour", 3_600),
    "SHARE_LINK_KEPT_SECONDS": ("limits.md", "within the last 30 days", 2_592_000),
    "SHARE_OPEN_SECONDS": ("console.md", "in that browser for an hour", 3_600),
    "SHARE_WAIT_SECONDS": ("limits.md", "more wait up to 4 seconds", 4.0),
    "ENGINE_ANSWER_SECONDS": ("http-api.md", "it comes within 5 seconds", 4.5),
    "JOB_STATEMENT_SECONDS": ("reliability.md", "take their time, for half an hour", 1_800.0),
    "EVENT_TEXT_LOOK_MAX_BYTES": ("visor.md", "a search in bodies 32 MB", 33_554_432),
    "OVERVIEW_MAX_BYTES": ("base-ui.md", "and 16 MB at most", 16_777_216),
    "RECEIPT_KEPT_SECONDS": ("base-ui.md", "for a day the", 86_400),
    "ARCHIVE_FREE_BYTES": ("archives.md", "1 GB unpacked", 1_073_741_824),
    "ARCHIVE_ITEM_TEXT_MAX_BYTES": ("archives.md", "each at most 8 MB", 8_388_608),
    "SNAPSHOT_COPY_RETRY_SECONDS": ("archives.md", "is tried again every 15 minutes", 900),
    "IMPORT_KEPT_SECONDS": ("archives.md", "kept for a week after its import", 604_800),
    "ARCHIVE_ATTEMPTS_MAX": ("archives.md", "After five\nattempts", 5),
    "EVENT_BLOCK_MAX": ("decisions/event-blocks.md", "up to 500, or", 500),
    "EVENT_BLOCK_MAX_BYTES": ("decisions/event-blocks.md", "or 524,288 bytes", 524_288),
    "SIGN_IN_WINDOW_SECONDS": ("console.md", "for one name from one address | 5 minutes |", 300),
    "SIGN_IN_ANYWHERE_SECONDS": ("console.md", "for one name from everywhere | an hour |", 3_600),
    "SECOND_STEP_TRIES": ("sign-in.md", "10 within 15 minutes are looked at", 10),
    "SECOND_STEP_TRIES_DAILY": ("sign-in.md", "are looked at and 50 a day", 50),
    "SECOND_STEP_WINDOW_SECONDS": ("sign-in.md", "10 within 15 minutes are looked at", 900),
    "SIGN_IN_QUESTIONS": ("sign-in.md", "can be begun 60 times within 5 minutes", 60),
    "HASHES_AT_ONCE": ("console.md", "Each process looks at two passwords at a time", 2),
    "MICRO_RUN_SECONDS_MAX": ("deta-command.md", "up to an hour", 3_600),
    "MICRO_RUNS_KEPT": ("micros.md", "The last 500 runs", 500),
    "MICRO_FAILURES_WARNED": ("micros.md", "fails three times in a row", 3),
    "MICRO_BUNDLE_MAX_BYTES": ("limits.md", "a bundle | 250 MB", 262_144_000),
    "MICRO_DEPENDENCIES_MAX_BYTES": ("limits.md", "what is installed for it | 250 MB", 262_144_000),
    "GIT_FETCH_KEPT_SECONDS": ("limits.md", "5 of one collection, for a day", 86_400),
    "DEV_KEY_SECONDS": ("limits.md", "of `deta dev` | ends within a day", 86_400),
    "PENDING_KEPT_SECONDS": ("reliability.md", "pending blobs after a day", 86_400),
}
# Numbers that nobody outside meets as such, or that the page or the field itself shows where one meets them.
INNER = {
    "ATTRIBUTE_ASKS_KEPT",
    "ATTRIBUTE_ASK_SECONDS",
    "ATTRIBUTE_INDEX_ASKS",
    "ATTRIBUTE_INDEX_BATCH_ROWS",
    "ATTRIBUTE_INDEX_ENTRY_BYTES",
    "ATTRIBUTE_INDEX_KEPT_DAYS",
    "ATTRIBUTE_INDEX_LOCK_MS",
    "ATTRIBUTE_INDEX_REST_SECONDS",
    "ATTRIBUTE_INDEX_TEXT_CHARACTERS",
    "ATTRIBUTE_INDEX_TURN_SECONDS",
    "ATTRIBUTE_PATH_MAX_BYTES",
    "HEALED_KEPT_SECONDS",
    "RANGE_FEW_HITS",
    "LIVE_ROWS_MAX",
    "STREAM_PAGE_BYTES",
    "STREAM_PAGE_CHANGES",
    "STREAM_RETRY_AFTER_SECONDS",
    "DUPLICATE_BATCH_BYTES",
    "DUPLICATE_BATCH_FILES",
    "DUPLICATE_BATCH_SECONDS",
    "SHARE_LINK_PREFIX_CHARACTERS",
    "THUMBNAIL_ATTEMPTS_MAX",
    "THUMBNAIL_CPU_SECONDS",
    "THUMBNAIL_MAX_BYTES",
    "THUMBNAIL_MEMORY_BYTES",
    "THUMBNAIL_SECONDS",
    "THUMBNAIL_TURN_SECONDS",
    "GIT_ATTEMPTS_MAX",
    "GIT_MEMORY_MB",
    "MANIFEST_FAULTS_TOLD",
    "ACCESS_TOKEN_CHARACTERS",
    "ACCESS_TOKEN_KEPT_DAYS",
    "ACCESS_TOKEN_USES_SECONDS",
    "ARCHIVES_AT_ONCE",
    "ARCHIVE_BATCH_BYTES",
    "ARCHIVE_BATCH_FILES",
    "ARCHIVE_BATCH_FILE_BYTES",
    "ARCHIVE_BATCH_ITEMS",
    "ARCHIVE_CHUNKS_AHEAD",
    "ARCHIVE_LEASE_SECONDS",
    "ARCHIVE_MANIFEST_MAX_BYTES",
    "ARCHIVE_PART_BYTES",
    "ARCHIVE_PUTS_AT_ONCE",
    "AUDIT_ENTRIES_PER_PAGE",
    "AUDIT_EXPORT_BATCH",
    "CHANGE_BATCH_ITEMS",
    "CLASHES_SHOWN",
    "CLIENT_NAME_MAX_CHARACTERS",
    "COLLECTION_NAME_MAX_CHARACTERS",
    "COPY_KEPT_SECONDS",
    "DATA_KEY_NAME_MAX_CHARACTERS",
    "DELETE_AT_ONCE_FILES",
    "DELETE_BATCH_ROWS",
    "DENSE_SCAN_MAX_BYTES",
    "DENSE_SCAN_MAX_ROWS",
    "ENGINE_MIN_SECONDS",
    "EVENTS_PER_PAGE",
    "EVENT_LOG_LINES_MAX",
    "EVENT_LOG_LINE_MAX_CHARACTERS",
    "EVENT_LOOK_MAX_BLOCKS",
    "EVENT_QUEUE_MAX",
    "EVENT_QUEUE_MAX_BYTES",
    "FOLDERS_PER_LIST",
    "HASHES_WAITING",
    "HISTORY_LOOK_MAX",
    "HASH_WAIT_SECONDS",
    "IMPORT_UPLOAD_KEPT_SECONDS",
    "INDEX_FEW_HITS",
    "INDEX_MAX_HITS",
    "INVITATION_NOTE_MAX_CHARACTERS",
    "MICRO_FIGURES_KEPT_MINUTES",
    "MICRO_ID_CHARACTERS",
    "MICRO_KEY_USES_SECONDS",
    "MICRO_LINES_PER_LIST",
    "MICRO_REASON_MAX_CHARACTERS",
    "MICRO_RUNS_PER_LIST",
    "MICRO_SCHEDULES_CLAIMED",
    "MOVE_SECONDS",
    "SAVE_SECONDS",
    "NAMES_PER_REQUEST",
    "PASSWORD_CHANGE_TRIES",
    "PREVIEW_HEAD_BYTES",
    "PREVIEW_HIGHLIGHT_SECONDS",
    "PREVIEW_PDF_OBJECTS",
    "PREVIEW_PDF_TABLE_BYTES",
    "PREVIEW_PDF_UNPACKED_BYTES",
    "RETRY_AFTER_SECONDS",
    "ROWS_PER_PAGE",
    "SEARCH_FOLDERS",
    "SEARCH_ROWS",
    "SWEEP_BATCH_ROWS",
    "THROTTLE_OWED_MAX",
    "THROTTLE_ROWS_MAX",
    "VIEW_COLUMNS_MAX_BYTES",
    "VIEW_SORT_MAX_CHARACTERS",
    "WORK_ANSWER_MAX_BYTES",
    "WORK_IDLE_SECONDS",
}


def test_every_verb_of_the_audit_log_is_told_under_its_kind() -> None:
    rows = dict(re.findall(r"^\| ([\w -]+) \| (`[a-z].*`) \|$", read("docs/audit.md"), re.M))
    assert {kind.label: ", ".join(f"`{verb}`" for verb in kind.verbs) for kind in Kind}.items() <= rows.items()


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_settings_are_listed_with_their_defaults() -> None:
    asked = re.findall(
        r'env\.\w+\(\s*"([A-Z0-9_]+)"(?:, ([^,)]+))?', read("console/settings.py") + read("console/environment.py")
    )
    rows = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| `?([^|`]+?)`? \|", read("docs/settings.md"), re.M))
    assert set(rows) == {name for name, _ in asked}
    for name, default in asked:
        try:
            value = ast.literal_eval(default)
        except (ValueError, SyntaxError):
            continue  # made of something else: the table says it in words
        if value != "" and value != []:
            assert rows[name] == (str(value).lower() if isinstance(value, bool) else str(value)), name


@pytest.mark.parametrize("page", TOLD)
def test_limits_are_told_as_they_are(page: str) -> None:
    text = read(f"docs/{page}")
    wanted = {name: sentence.format(getattr(limits, name)) for name, sentence in TOLD[page].items()}
    assert {name: sentence for name, sentence in wanted.items() if sentence not in text} == {}


def test_limits_of_the_server_are_told_as_they_are() -> None:
    told = [
        f"| connections | {server_limits.CONNECTIONS_MAX:,} to each",
        f"under way | {server_limits.HANDSHAKES_MAX:,} in each process, and {server_limits.TLS_SECONDS} seconds",
        f"the address of a request | {server_limits.TARGET_MAX_BYTES:,} bytes",
        f"| {server_limits.HEAD_MAX_BYTES:,} bytes and {server_limits.HEADERS_MAX} headers",
        f"a second more for every {server_limits.BODY_MIN_BYTES_PER_SECOND:,} bytes",
        f"the form of a page | {server_limits.FORM_MAX_BYTES:,} bytes",
        f"nothing of it for {server_limits.STALLED_SECONDS} seconds",
        f"closed after {server_limits.KEEP_ALIVE_SECONDS} seconds",
        f"coming in | {server_limits.BODIES_MEMORY_BYTES:,} bytes",
        f"sent ahead | {server_limits.KEPT_MAX_BYTES:,} bytes",
        f"more wait up to {server_limits.QUEUE_SECONDS} seconds",
        "{rows} for items and queries, {pages} for pages, {files} for files".format(**listener.KINDS),
    ]
    text = read("docs/limits.md")
    assert [sentence for sentence in told if sentence not in text] == []


def test_limits_in_other_units_are_told_as_they_are() -> None:
    for name, (page, sentence, value) in IN_OTHER_UNITS.items():
        assert getattr(limits, name, value) == value, name
        assert sentence in read(f"docs/{page}"), name
    assert f"{limits.PARTS_MAX * limits.FILE_BODY_MAX_BYTES:,} bytes" in read("docs/limits.md")


def test_every_limit_is_told_or_known_to_be_inner() -> None:
    known = {name for page in TOLD.values() for name in page} | set(IN_OTHER_UNITS) | INNER
    assert {name for name in vars(limits) if name.isupper()} - known == set()


@pytest.mark.parametrize("name", TEXTS)
def test_paths_that_a_text_names_exist(name: str) -> None:
    """What stands in backticks and begins with a folder of the repository."""
    tops = "bench|clients|console|homeport|deploy|docs|manage|static|storage|templates|tests"
    named = re.findall(rf"`((?:{tops})(?:/[\w./-]*|\.py))`", read(name))
    named += re.findall(r"`([A-Z]+\.md|Makefile|[\w-]+\.(?:txt|toml|yml))`", read(name))
    # In the wheel, in an app, and in the folder of a cluster's configuration.
    elsewhere = {"homeport/_app/", "requirements.txt", "filer.toml", "security.toml", "userlist.txt"}
    assert [path for path in named if path not in elsewhere and not (ROOT / path).exists()] == []


def test_files_that_docstrings_and_comments_name_exist() -> None:
    """By their path, or by the end of it."""
    rooms = ("console", "storage", "homeport", "bench", "tests", "static/js", "clients/python/src", "runtimes")
    sources = [path for room in rooms for end in ("*.py", "*.js", "*.mjs") for path in (ROOT / room).rglob(end)]
    assert len(sources) > 300
    others = (ROOT / "manage.py", ROOT / "conftest.py", *(ROOT / "templates").rglob("*.html"))
    files = {f"/{path.relative_to(ROOT).as_posix()}" for path in (*sources, *others)}
    prose = re.compile(r'"""(?:.|\n)*?"""|/\*\*(?:.|\n)*?\*/|^\s*(?:#|//).*$', re.M)
    named = re.compile(r"(?<![\w./*-])((?:\w+/)*[a-z]\w+\.(?:py|js|html))(?![\w(])")
    no_file_of_ours = {"brought.py", "index.js", "main.py", "uvicorn.py", "index.html", "node.html"}
    assert [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources
        for text in prose.findall(path.read_text())
        for name in named.findall(text)
        if name not in no_file_of_ours and not any(file.endswith(f"/{name}") for file in files)
    ] == []


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_to_files(name: str) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", read(name))
    assert [
        target
        for target in targets
        if "://" not in target and not ((ROOT / name).parent / target.partition("#")[0]).exists()
    ] == []


def test_goals_of_the_benchmark_are_told_as_they_are() -> None:
    """`make bench` writes the table, with what it measured."""
    page = read("docs/performance.md")
    section = page.partition("### Goals\n")[2].partition("\n### ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][2:]
    assert [(line[0], line[3]) for line in lines] == [(goal.title, bound_text(goal)) for goal in GOALS]
    assert {line[-1] for line in lines} <= {"reached", "within 5 %", "below", NOT_MEASURED}


def test_sections_that_code_cites_are_there() -> None:
    contract, promises = read("docs/http-api.md"), read("docs/reliability.md").lower()
    sections = {part.partition("\n")[0]: part.lower() for part in contract.split("\n## ")[1:]}
    sources = [path for room in ("console", "storage", "tests") for path in (ROOT / room).rglob("*.py")]
    cited = 0
    for path in sources:
        text = "" if path == Path(__file__) else path.read_text()
        for section, place in re.findall(r'\(contract: (?:section )?"?(\w+)"?(?:, "([^"]+)")?', text):
            cited += 1
            assert section in sections, f"{path}: {section}"
            assert place.removesuffix(" ...").lower() in sections[section], f"{path}: {place}"
        for promise in re.findall(r"\(promises: ([^)]+)\)", text):
            for name in re.split(r", | to ", promise):
                assert name.strip('"').lower() in promises, f"{path}: {promise}"
    assert cited > 30


def test_each_fault_names_tests_that_are_there() -> None:
    faults = (
        read("docs/reliability.md")
        .partition("### Which test tries it")[2]
        .partition("\n\nTwo means")[0]
        .splitlines()[4:]
    )
    assert len(faults) > 25
    for line in faults:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", line)
        assert named, line
        assert [name for path, name in named if f"def {name}(" not in read(path)] == []


def test_pictures_are_made_used_and_small() -> None:
    made = set(re.findall(r'\btake\("([\w-]+)"', read("docs/pictures.py")))
    made |= set(re.findall(r'for name in \("(\w+)", "(\w+)"\):', read("docs/pictures.py"))[0])
    there = {path.stem for path in (DOCS / "pictures").glob("*.png")}
    used = {name for page in PAGES for name in re.findall(r"pictures/([\w-]+)\.png", read(page))}
    assert made == there == used
    assert [path.name for path in (DOCS / "pictures").glob("*.png") if path.stat().st_size > PICTURE_MAX_BYTES] == []


def test_every_page_is_in_the_contents() -> None:
    contents = read("mkdocs.yml").partition("\nnav:")[2]
    assert set(re.findall(r"(\S+\.md)$", contents, re.M)) == {page.removeprefix("docs/") for page in PAGES}


def test_the_site_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=True, timeout=LONG_SECONDS)
    loaded = re.compile(r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?([^\"\s>]+)|<link[^>]*\shref=\"?([^\"\s>]+)")
    imported = re.compile(r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')]+)")
    pages, sheets = list(tmp_path.rglob("*.html")), list(tmp_path.rglob("*.css"))
    assert len(pages) > len(PAGES) - 2
    found = [address for page in pages for pair in loaded.findall(page.read_text()) for address in pair if address]
    found += [address for sheet in sheets for address in imported.findall(sheet.read_text())]
    assert {address for address in found if re.match(r"(?:\w+:)?//", address)} == set()
