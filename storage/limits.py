"""Every documented number with its unit. Source: the API contract's sections "Everywhere", "Base" and "Drive".

"doc" marks what the original service documented, "ours" what Homeport decided where it was silent.
"""

# Names and keys
NAME_MAX_CHARACTERS = 128  # of a Base or Drive (ours)
KEY_MAX_BYTES = 1_024  # of an item's key, in UTF-8 (ours: a longer one can overflow a B-tree entry)
COLLECTION_ID_CHARACTERS = 10  # ours
COLLECTION_NAME_MAX_CHARACTERS = 128  # ours
SECRET_CHARACTERS = 32  # of a data key, behind the underscore (ours)
DATA_KEY_NAME_MAX_CHARACTERS = 128  # ours
DATA_KEY_DAYS_MAX = 3_650  # that one made by the command is good for, unless for good (ours)

# Items
ITEM_MAX_BYTES = 409_600  # of its compact UTF-8 JSON, key included (doc: 400 KB; unit ours)
ITEMS_PER_PUT = 25  # doc
ITEMS_PER_SUCCESSOR_PUT = 30  # its second Python client
BODY_MAX_BYTES = 16_777_216  # of any request to a Base (doc: 16 MB for PUT)
NESTING_MAX_LEVELS = 100  # the item itself is the first (ours)
NUMBER_MAX_DIGITS = 38  # significant ones (ours)
NUMBER_MAX_EXPONENT = 125  # of the first digit, either sign (ours)

# Queries
QUERY_LIMIT_MAX = 1_000  # items in an answer, and the default (ours)
QUERY_MAX_OBJECTS = 1_000  # ORed together (ours)
QUERY_MAX_CONDITIONS = 5_000  # in all of them; PostgreSQL binds at most 65,535 parameters (ours)
SEARCH_MAX_CHARACTERS = 1_000  # of the words searched for (ours)
ANSWER_MAX_BYTES = 1_048_576  # of items, one over it included (doc: about 1 MB)
SCAN_MAX_BYTES = 1_048_576  # of items looked at by a request that no index answers (doc: about 1 MB)
SCAN_MAX_ROWS = 20_000  # looked at by such a request, so that tiny items cannot hold a worker (ours)
INDEX_FEW_HITS = 10_000  # of an index: sorted for one answer without a thought (ours)
DENSE_SCAN_MAX_BYTES = (
    33_554_432  # of items looked at in key order where there are more, which finds a page sooner (ours)
)
DENSE_SCAN_MAX_ROWS = 200_000  # likewise
INDEX_MAX_HITS = 200_000  # sorted for one answer when that did not fill it (ours)

HISTORY_LOOK_MAX = 10_000  # changes looked at by a request for those that meet a filter (ours)
HISTORY_ROWS_BACK_MAX = 100  # versions brought back at once, each by statements of its own (ours)
UNDO_BATCH_ITEMS = 250  # of what one writer did, undone at once (ours)
UNDO_BATCH_MAX_BYTES = 2_097_152  # of what they were before: a browser keeps about 5 MB (ours)
HISTORY_SCAN_MAX_ROWS = 5_000  # items looked at by a query of an earlier moment (ours)

# Changes, and whoever follows them (all ours)
STREAMS_MAX = 4_096  # open in one web process
STREAMS_OF_ONE = 1_024  # of these for one data key or person
STREAM_PAGE_CHANGES = 100  # read at once for those who follow
STREAM_PAGE_BYTES = 65_536  # likewise, one value over it included
STREAM_UNSENT_BYTES = 65_536  # who has so much to take yet is sent no more, and goes on from the database later
STREAM_POLL_SECONDS = 0.25  # between two looks for changes, while somebody follows
STREAM_RIGHTS_SECONDS = 1.0  # between two looks whether those who follow still may
STREAM_BEAT_SECONDS = 15.0  # without a word, then a comment keeps the connection open
STREAM_RETRY_MS = 2_000  # that clients wait before they come again
STREAM_RETRY_AFTER_SECONDS = 10  # that one is told to wait when there are too many
LIVE_ROWS_MAX = 100  # that an open table asks for at once

# Indexes of attributes (all ours)
ATTRIBUTE_INDEX_ASKS = 3  # queries within a day that had to stop before the end of a Base; then it gets an index
ATTRIBUTE_ASK_SECONDS = 86_400  # that such a query counts
ATTRIBUTE_ASKS_KEPT = 1_000  # attributes of one Base that are counted
ATTRIBUTE_PATH_MAX_BYTES = 2_000  # of an attribute that can have an index, the steps to it and 8 for each of them
ATTRIBUTE_INDEXES_PER_BASE = 5  # then the one that was not used for longest goes
ATTRIBUTE_INDEX_REST_SECONDS = 86_400  # without use, before an index goes for another
ATTRIBUTE_INDEX_KEPT_DAYS = 30  # without use
ATTRIBUTE_INDEX_TEXT_CHARACTERS = 300  # of a string; the rest of it is looked up in the item
ATTRIBUTE_INDEX_ENTRY_BYTES = 150  # that an entry takes at most for a start: so much space must be free to build one
ATTRIBUTE_INDEX_BATCH_ROWS = 500  # of a Base, put into an index at a time: writers of these items wait for it
ATTRIBUTE_INDEX_LOCK_MS = 200  # that such a batch waits for a writer, then it tries later
ATTRIBUTE_INDEX_TURN_SECONDS = 10  # then the job queue may do something else
RANGE_FEW_HITS = 1_000  # of an index by range, looked up before anything else is tried

OVERVIEW_MAX_ROWS = 20_000  # looked at to sort or count for a table (ours)
OVERVIEW_MAX_BYTES = 16_777_216  # likewise
SORT_MAX_ITEMS = 10_000  # matches sorted by an attribute (ours)
SORT_MAX_ATTRIBUTES = 4  # that a table is sorted by, one after the other (ours)
COUNT_EXACT_MAX = 10_000  # items of a Base counted exactly (ours)

# Files
FILE_NAME_MAX_BYTES = 1_024  # in UTF-8 (ours)
CONTENT_TYPE_MAX_CHARACTERS = 255  # ours
FILE_BODY_MAX_BYTES = 10_485_760  # of a file sent in one request, and of a part (doc: 10 MB)
PART_MIN_BYTES = 5_242_880  # of every part but the last (doc: 5 MB)
PARTS_MAX = 10_000  # of an upload (doc)
NAMES_PER_LIST = 1_000  # in an answer, and the default (doc)
NAMES_PER_DELETE = 1_000  # doc
TRANSFERS_AT_ONCE = 128  # in one worker, half its threads: slow bytes never hold up Bases (ours)
COPY_KEPT_SECONDS = 86_400  # that a copy of a blob on a machine's disk is used (ours)
SHARE_WAIT_SECONDS = 4.0  # for a thread's turn to move a file's bytes (ours)
ENGINE_ANSWER_SECONDS = 4.5  # for S3's first word, or a connection to PostgreSQL (ours: a 503 comes within 5)
ENGINE_MIN_SECONDS = 0.5  # a request that has less left for its engines asks none of them (ours)

JOB_STATEMENT_SECONDS = 1_800.0  # that a statement of the background jobs may take (ours)

# Files in the console (all ours)
ROWS_PER_PAGE = 100  # of a folder; the next page comes as one scrolls
SORTED_FILES_MAX = 10_000  # of one folder, sorted by anything but their names
SEARCH_ROWS = 100_000  # names that one request of a search looks at
SEARCH_FOLDERS = 2_000  # likewise folders
FOLDER_COUNTED_FILES = 10_000  # in one folder, for its size in a list
FOLDERS_PER_LIST = 500  # in the list that a file can be moved to
NAMES_PER_REQUEST = 10_000  # that one request may choose
MOVE_MAX_FILES = 100_000  # renamed or moved in one transaction; who writes to the Drive waits for it
MOVE_SECONDS = 60  # that it may take
CLASHES_SHOWN = 100  # of the names that exist already
DELETE_AT_ONCE_FILES = 1_000  # more go in the background
UNDO_SECONDS = 600  # after the last file of a deletion is gone
DUPLICATE_BATCH_FILES = 100  # of a Drive that is copied, stored in one transaction
DUPLICATE_BATCH_BYTES = 67_108_864  # of files in such a transaction, the last one included
DUPLICATE_BATCH_SECONDS = 5.0  # then what is copied is stored, so that it can be seen
DUPLICATIONS_WAITING_MAX = 5  # of one collection
DUPLICATION_KEPT_SECONDS = 86_400  # after its end, so that people see what came of it
ZIP_MAX_FILES = 100_000  # their names and sizes are in memory while a zip goes out
PREVIEW_TEXT_BYTES = 262_144  # of a text; what follows is left out
PREVIEW_ROWS = 200  # of a table
PREVIEW_COLUMNS = 50  # likewise
PREVIEW_HEAD_BYTES = 262_144  # of an image, in which its width and height must stand
PREVIEW_MAX_PIXELS = 100_000_000  # of an image that a browser is given to unpack: 400 MB of its memory
PREVIEW_PDF_BYTES = 10_485_760  # of a PDF, all of which is read to see that nothing in it can run
PREVIEW_PDF_OBJECTS = 100_000  # of a PDF
PREVIEW_PDF_UNPACKED_BYTES = 33_554_432  # of the objects that a PDF holds packed
PREVIEW_PDF_TABLE_BYTES = 4_194_304  # of the table of its objects, unpacked
PREVIEW_HIGHLIGHT_SECONDS = 0.3  # of processor time for colours; the rest of a text goes without

# Thumbnails (all ours)
THUMBNAIL_SOURCE_MAX_BYTES = 26_214_400  # of a picture that one is made of
THUMBNAIL_MAX_PIXELS = 50_000_000  # likewise
THUMBNAIL_MAX_BYTES = 65_536  # of the small picture
THUMBNAIL_MEMORY_BYTES = 536_870_912  # of the process that makes one
THUMBNAIL_CPU_SECONDS = 10  # of processor time, likewise
THUMBNAIL_SECONDS = 60.0  # that it may take in all, on however busy a machine
THUMBNAIL_TURN_SECONDS = 10.0  # then other jobs may come first
THUMBNAIL_ATTEMPTS_MAX = 3  # at one, when the worker dies or S3 does not answer
THUMBNAILS_WAITING_MAX = 10_000  # to be made, of all Drives

# Share links (all ours)
SHARE_LINKS_MAX = 1_000  # of one Drive, those that ended within SHARE_LINK_KEPT_SECONDS among them
SHARE_LINK_HOURS_MAX = 8_760  # that one is good for: a year
SHARE_LINK_KEPT_SECONDS = 2_592_000  # after its end, so that people see what became of it
SHARE_LINK_PREFIX_CHARACTERS = 6  # of its secret, for people to recognise it
SHARE_DOWNLOADS_OF_ONE_LINK = 16  # at once, in one web worker
SHARE_DOWNLOADS_AT_ONCE = 64  # of all links, likewise: half of TRANSFERS_AT_ONCE stays for others
SHARE_PASSWORD_MAX_CHARACTERS = 128
SHARE_OPEN_SECONDS = 3_600  # that a browser with the right password need not give it again
SHARE_PASSWORD_TRIES = 10  # wrong ones for one link, from one address, in SIGN_IN_WINDOW_SECONDS
SHARE_PASSWORD_TRIES_FROM_ANYWHERE = 100  # likewise, from everywhere, in SIGN_IN_ANYWHERE_SECONDS

# Work whose processor time a stranger can drive up: it is done in processes that can be ended (all ours)
WORK_CPU_SECONDS = 0.5  # of processor time for one piece
WORK_WAIT_SECONDS = 5.0  # for a turn, and for the answer, however busy the machine is
WORK_MEMORY_BYTES = 268_435_456  # of one piece
WORK_ANSWER_MAX_BYTES = 8_388_608  # of what one piece makes
WORKS_AT_ONCE = 2  # pieces, for one web worker
WORK_IDLE_SECONDS = 60.0  # without work, then a helper ends

# Callers
WRONG_KEYS_PER_MINUTE = 100  # from one address and in one worker, before it gets 429 (ours)
KEY_REQUESTS_PER_SECOND_MAX = 100_000  # that a data key can be limited to (ours)
KEY_BYTES_PER_DAY_MAX = 1_000_000_000_000_000  # likewise
RETRY_AFTER_SECONDS = 2  # with every 503 (ours)

# Passwords (all ours)
SIGN_IN_TRIES_FOR_ONE_NAME = 5  # wrong ones, from one address, in SIGN_IN_WINDOW_SECONDS
SIGN_IN_TRIES_FROM_ONE_ADDRESS = 50  # likewise, for any names
SIGN_IN_TRIES_FROM_KNOWN_BROWSER = 10  # likewise, from a browser that this person signed in with before
SIGN_IN_TRIES_FROM_ANYWHERE = 100  # for one name, from browsers that are not known, in SIGN_IN_ANYWHERE_SECONDS
PASSWORD_CHANGE_TRIES = 10  # wrong ones, by one person who is signed in, in SIGN_IN_WINDOW_SECONDS
SIGN_IN_WINDOW_SECONDS = 300
SIGN_IN_ANYWHERE_SECONDS = 3_600
SECOND_STEP_TRIES = 10  # wrong codes of one person, from everywhere, in SECOND_STEP_WINDOW_SECONDS
SECOND_STEP_WINDOW_SECONDS = 900
SECOND_STEP_TRIES_DAILY = 50  # likewise, in a day
SIGN_IN_QUESTIONS = 60  # begun with passkeys, or through OpenID Connect, from one address, in SIGN_IN_WINDOW_SECONDS
HASHES_AT_ONCE = 2  # of passwords, in one process
HASHES_WAITING = 2  # for their turn; more wait outside, or are told to come again
HASH_WAIT_SECONDS = 3.0  # at most, for a turn
THROTTLE_ROWS_MAX = 200_000  # counters of tries that are kept
THROTTLE_OWED_MAX = 10_000  # counters that a process remembers for giving tries back later (ours)

# People
INVITATION_NOTE_MAX_CHARACTERS = 128  # whom it is for (ours)
CLIENT_NAME_MAX_CHARACTERS = 80  # of a client's User-Agent, the rest is cut (ours)

# The audit log (all ours)
AUDIT_TEXT_MAX_CHARACTERS = 300  # of a name in it; the rest is cut
AUDIT_ENTRIES_PER_PAGE = 50
AUDIT_EXPORT_BATCH = 1_000  # entries read at once for a download
AUDIT_NAMES_MAX = 500  # people that the filter offers
AUDIT_FAILED_SIGN_INS_PER_HOUR = 1_000  # entries, and as many of refused ones; then one for each account

# Edits in the console
CHANGES_PER_BATCH = 25  # of a save, applied in one transaction (ours: as many as one put)
CHANGES_PER_SAVE = 10_000  # ours
SAVE_SECONDS = 60  # that a save of more than one batch may wait for the database, all together (ours)
RECEIPT_KEPT_SECONDS = 86_400  # in which a save may be sent again without being applied again (ours)

# Many items changed at once (all ours)
CHANGE_KEYS_MAX = 10_000  # of a selection; a query may find any number
CHANGE_BATCH_ITEMS = 250  # changed in one transaction
CHANGES_WAITING_MAX = 20  # of one collection
CHANGE_UNDO_SECONDS = 86_400  # after it is done; until then what items were before is kept
VIEW_NAME_MAX_CHARACTERS = 80
VIEWS_PER_BASE = 100
VIEW_COLUMNS_MAX_BYTES = 65_536  # of an arrangement of columns
VIEW_SORT_MAX_CHARACTERS = 4_096

QUERY_TEXT_MAX_CHARACTERS = 65_536  # in the bar (ours)
EDITS_BODY_MAX_BYTES = 16_777_216  # of one save (ours: as a put)
IMPORT_MAX_BYTES = 10_485_760  # of what is pasted or imported as rows to save (ours)

# Visor
EVENT_BODY_MAX_BYTES = 65_536  # kept of a request's body and of an answer's; the rest is counted (ours)
EVENT_TEXT_MAX_CHARACTERS = 4_096  # kept of a path, of a query string, of a header's value (ours)
EVENT_HEADERS_MAX = 100  # kept of a request or an answer (ours)
EVENT_LOG_LINES_MAX = 100  # kept of what the server logged during a request (ours)
EVENT_LOG_LINE_MAX_CHARACTERS = 2_000  # ours
EVENTS_KEPT_DAYS = 14  # then whole days are dropped, but for pinned events (ours)
EVENTS_MAX_BYTES = 268_435_456  # of one collection, compressed; the oldest go first, but for pinned ones (ours)
EVENTS_PINNED_MAX = 1_000  # in one collection (ours)
EVENTS_PER_PAGE = 50  # ours
EVENT_LOOK_MAX = 20_000  # looked at by one page of a filtered list (ours)
EVENT_LOOK_MAX_BLOCKS = 2_000  # in which these lie; a quiet collection's hold one or two each (ours)
EVENT_TEXT_LOOK_MAX_BYTES = 33_554_432  # of bodies and headers, looked at by one page of a search in bodies (ours)
EVENT_QUEUE_MAX = 20_000  # waiting in one process to be stored; more are lost, and counted (ours)
EVENT_QUEUE_MAX_BYTES = 33_554_432  # of these (ours)
EVENT_BLOCK_MAX = 500  # stored together (ours)
EVENT_BLOCK_MAX_BYTES = 524_288  # of these, before they are compressed; a larger one is alone in its block (ours)
REPLAY_BODY_MAX_BYTES = 1_048_576  # of a request written by hand (ours)
REPLAY_HEADERS_MAX = 50  # of such a request (ours)

# Sweeping
GARBAGE_KEPT_SECONDS = 3_600  # after a blob lost its last file, so that running downloads can finish (ours)
BACKUP_WAIT_SECONDS = 86_400  # that a file's bytes that nothing uses wait at most until they are in the backups (ours)
UPLOAD_KEPT_SECONDS = 86_400  # after it was last touched, or ended (ours)
HEALED_KEPT_SECONDS = 2_592_000  # what was damaged and is healed stays on the list (ours)
PENDING_KEPT_SECONDS = 86_400  # a blob whose write never came to an end (ours)
SWEEP_BATCH_ROWS = 1_000  # deleted in one statement, so that no lock is held for long (ours)
DELETE_BATCH_ROWS = 2_000  # of a deleted collection, in one statement (ours)

# Archives: exports, imports, snapshots
ARCHIVES_WAITING_MAX = 20  # exports, or imports, of one collection that are not done (ours)
ARCHIVE_PART_BYTES = 8_388_608  # of one object that an export, or a file out of an archive, is put as (ours)
ARCHIVE_PUTS_AT_ONCE = 3  # of those, while more is read: they bound what an export holds in memory (ours)
ARCHIVE_CHUNKS_AHEAD = 4  # of files, about 1 MB each, read while those before them are packed (ours)
ARCHIVE_ENTRIES_MAX = 1_000_000  # of an archive; each takes 0.6 KB of memory while one is made or read (ours)
ARCHIVE_FREE_BYTES = 1_073_741_824  # that an archive may unpack to however small it is (ours)
ARCHIVE_RATIO_MAX = 200  # unpacked to packed bytes, beyond that (ours)
ARCHIVE_MANIFEST_MAX_BYTES = 268_435_456  # unpacked (ours)
ARCHIVE_ITEM_TEXT_MAX_BYTES = 8_388_608  # of one item as it stands in a file, with its spaces and escapes (ours)
ARCHIVE_BATCH_ITEMS = 500  # stored in one transaction by an import (ours)
ARCHIVE_BATCH_BYTES = 4_194_304  # of items in such a transaction (ours)
ARCHIVE_BATCH_FILES = 32  # stored in one transaction by an import (ours)
ARCHIVE_BATCH_FILE_BYTES = 67_108_864  # of files in such a transaction, the last one included (ours)
IMPORT_TYPES_LOOK_ITEMS = 1_000  # of a Base, whose attributes' types the columns of a file take (ours)
ARCHIVE_PROBLEMS_KEPT = 1_000  # of a check or an import, listed one by one; all are counted (ours)
ARCHIVE_LEASE_SECONDS = 25  # without a sign of life, then another worker goes on (ours)
ARCHIVE_ATTEMPTS_MAX = 5  # at an export or import whose worker dies every time (ours)
ARCHIVES_AT_ONCE = 2  # in one worker, of the jobs it can do at a time (ours)
ARCHIVE_MAX_BYTES = 1_099_511_627_776  # of an archive that is sent here (ours)
SNAPSHOT_COPY_RETRY_SECONDS = 900  # until a copy that failed is tried again (ours)
IMPORT_KEPT_SECONDS = 604_800  # the archive itself, after its import: the report stays (ours)
IMPORT_UPLOAD_KEPT_SECONDS = 86_400  # an archive whose upload was abandoned (ours)
SNAPSHOTS_KEPT_MAX = 100  # of one collection (ours)

# Micros
MICRO_ID_CHARACTERS = 12  # lower-case letters and digits (ours)
MICRO_NAME_MAX_CHARACTERS = 128  # ours
MICRO_TEXT_MAX_CHARACTERS = 500  # of an API key's description (ours)
SUBDOMAIN_MIN_CHARACTERS = 4  # doc
SUBDOMAIN_MAX_CHARACTERS = 32  # doc
MICROS_PER_COLLECTION = 200  # ours
MICRO_DOMAINS_MAX = 5  # names of somebody's own that one Micro is served under (ours)
MICRO_BODY_MAX_BYTES = 5_767_168  # of a request, and of an answer's buffered part (doc: 5.5 MB)
MICRO_BUNDLE_MAX_BYTES = 262_144_000  # of a bundle's files unpacked, and of the bundle (doc: 250 MB)
MICRO_BUNDLE_MAX_FILES = 20_000  # ours
MICRO_DEPENDENCIES_MAX_BYTES = 262_144_000  # installed (doc: 250 MB)
MICRO_DEPENDENCIES_MAX_FILES = 200_000  # ours
MICRO_VARIABLES_MAX = 100  # ours
MICRO_VARIABLE_NAME_MAX_CHARACTERS = 128  # ours
MICRO_VARIABLES_MAX_BYTES = 65_536  # all names and values together (ours)
MICRO_DEPLOYMENTS_KEPT = 10  # of one Micro, to roll back to (ours)
MICRO_IDLE_MINUTES = 5  # without a request, then it sleeps (ours)
MICRO_IDLE_MINUTES_MAX = 1_440  # ours
MICRO_LINE_MAX_CHARACTERS = 4_096  # of a line in a log; the rest of it is left out (ours)
MICRO_LINES_PER_SECOND = 200  # of one Micro, on average; more are left out, and counted (ours)
MICRO_LINES_AT_ONCE = 2_000  # of these, when it was quiet before (ours)
MICRO_LINES_KEPT = 50_000  # of one Micro, the newest (ours)
MICRO_LINES_KEPT_DAYS = 14  # ours
MICRO_LINES_PER_LIST = 500  # in one answer (ours)
MICRO_FIGURES_KEPT_MINUTES = 1_500  # of requests and errors counted by the minute: a day and some (ours)
MICRO_KEYS_MAX = 100  # API keys of one Micro (ours)
MICRO_KEY_USES_SECONDS = 60  # between two notes of when one was last used (ours)
MICRO_DEPLOYMENTS_WAITING_MAX = 5  # of one Micro (ours)
MICRO_DEPLOYMENTS_LISTED = 100  # of one Micro, with those whose code is gone; older ones are forgotten (ours)
MICRO_REASON_MAX_CHARACTERS = 16_384  # of why a deployment failed; the end of it is kept (ours)
MICRO_ATTEMPTS_MAX = 3  # at a deployment whose worker dies every time (ours)
MICRO_REQUESTS_AT_ONCE = 32  # to one Micro, in one web process (ours)
MICROS_REQUESTS_AT_ONCE = 128  # to all of them, in one web process (ours)
MICRO_HEADERS_MAX_BYTES = 65_536  # of an app's answer (ours)
MICRO_BACKLOG = 512  # connections to one Micro that wait until it accepts (ours)
MICRO_BUILDS_AT_ONCE = 2  # on one machine (ours)
MANIFEST_MAX_BYTES = 65_536  # of a deta.json or a Spacefile (ours)
MANIFEST_CRON_MAX_CHARACTERS = 200  # ours
MANIFEST_FAULTS_TOLD = 10  # of what is wrong with one (ours)
GIT_ADDRESS_MAX_CHARACTERS = 500  # ours
GIT_BRANCH_MAX_CHARACTERS = 200  # ours
GIT_SECONDS = 120  # that fetching a repository may take (ours)
GIT_MEMORY_MB = 1_024  # of git, and as much for its copy of the repository (ours)
GIT_ARCHIVE_MAX_MB = 300  # of all files in a repository together, those that are left out among them (ours)
GIT_FETCHES_KEPT = 5  # of one collection, that were fetched and not deployed yet (ours)
GIT_FETCH_KEPT_SECONDS = 86_400  # ours
GIT_ATTEMPTS_MAX = 3  # at fetching, when the worker dies every time (ours)
MICRO_EXPRESSION_MAX_CHARACTERS = 200  # of what a schedule says (ours)
MICRO_RATE_MAX_DAYS = 366  # between two runs of a rate (ours)
MICRO_SCHEDULE_LOOK_AHEAD_YEARS = 30  # for the next time of a cron expression (ours)
MICRO_RUN_SECONDS_MAX = 3_600  # of a run that is said to be a long one; others take as long as a request may (ours)
MICRO_RUN_INPUT_MAX_BYTES = 262_144  # of JSON (ours)
MICRO_RUN_ANSWER_MAX_BYTES = 262_144  # kept of an answer (ours)
MICRO_ACTION_MAX_CHARACTERS = 128  # of an action's name (ours)
MICRO_RUNS_AT_ONCE = 8  # on one machine, of those that take no longer than a request (ours)
MICRO_LONG_RUNS_AT_ONCE = 8  # on one machine (ours)
MICRO_RUNS_OF_ONE_AT_ONCE = 4  # of one Micro (ours)
MICRO_RUNS_WAITING_MAX = 20  # of one Micro; a due time of its schedule is left out then (ours)
MICRO_RUNS_KEPT = 500  # of one Micro, the newest (ours)
MICRO_RUNS_KEPT_DAYS = 30  # ours
MICRO_RUN_BODIES_KEPT = 50  # runs of one Micro, the newest, whose input and answer are kept (ours)
MICRO_RUNS_PER_LIST = 50  # in one answer (ours)
MICRO_FAILURES_WARNED = 3  # runs of a schedule that failed one after the other, then its pages warn (ours)
MICRO_SCHEDULES_CLAIMED = 500  # due ones in one transaction (ours)
ACCESS_TOKEN_CHARACTERS = 40  # behind `hp_` (ours)
ACCESS_TOKEN_NAME_MAX_CHARACTERS = 100  # ours
ACCESS_TOKEN_DAYS = 90  # that one is good for, unless said otherwise (ours)
ACCESS_TOKEN_DAYS_MAX = 3_650  # ours
ACCESS_TOKENS_MAX = 100  # of one person, that are good (ours)
ACCESS_TOKEN_USES_SECONDS = 60  # between two notes of when one was last used (ours)
ACCESS_TOKEN_KEPT_DAYS = 30  # after its end, so that whoever still uses it is told why (ours)
TERMINAL_SIGN_IN_MINUTES = 10  # until a person must have allowed a terminal (ours)
TERMINAL_SIGN_INS_MAX = 1_000  # that wait at once, or were over lately (ours)
TERMINAL_SIGN_INS_FROM_ONE_ADDRESS = 20  # begun within ten minutes (ours)
SIGN_IN_WRONG_VERIFIERS = 5  # then a terminal's sign-in is over (ours)
DEV_KEY_SECONDS = 86_400  # that a key of `deta dev` is good for, if it is not revoked before (ours)
CLI_COLLECTIONS_MAX = 10_000  # that a terminal is told (ours)
HAR_EVENTS_MAX = 200  # recorded requests in one HAR file, the newest of them (ours)
HAR_MAX_CHARACTERS = 16_777_216  # of their bodies; then older ones stay out (ours)
CLI_EVENTS_PER_PAGE = 500  # recorded requests in one answer to a terminal (ours)
