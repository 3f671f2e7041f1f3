"""Django's settings, all that can differ between installations read from the environment (`docs/settings.md` lists them).

Loading them writes nothing: what `serve` generated for this data folder (secret key, the bundled engines' addresses and
credentials) is read from `<data>/homeport.json`, and while there is none, a key for this process alone is made up.
"""

import re
import secrets
import socket
from pathlib import Path
from typing import Any

from csp.constants import NONCE
from environs import Env, EnvError, ValidationError, validate

from console import environment
from storage.embedded import accounts, paths, state

BASE_DIR = Path(__file__).resolve().parent.parent
# The package `homeport` carries these folders in `_app`; a checkout is itself the folder that they are in.
IS_PACKAGED = BASE_DIR.name == "_app"
# What pages tell people to type.
COMMAND = "homeport" if IS_PACKAGED else ".venv/bin/python manage.py"
env = Env()
environment.check_texts()

_PROCESSES = validate.Range(min=1, max=256)
_CONNECTIONS = validate.Range(min=1, max=1000)
# What fits into an integer of PostgreSQL's, and into 64 bits once megabytes are counted in bytes.
_MILLISECONDS = validate.Range(min=0, max=2**31 - 1)
_MEGABYTES = validate.Range(min=0, max=2**40)


def _is_issuer(url: str) -> None:
    """An OpenID Connect issuer is reached over https; one on this machine may do without. Raises ValidationError."""
    if url and not url.startswith(("https://", "http://localhost:", "http://127.0.0.1:")):
        raise ValidationError("An issuer's address begins with https://")


def _is_token(text: str) -> None:
    """A secret that nobody guesses, as it comes in a header. Raises ValidationError."""
    if text and not re.fullmatch(r"[!-~]{20,200}", text):
        raise ValidationError("A token has 20 to 200 characters: letters, digits and signs, without spaces")


# Where this installation keeps everything.
DATA = paths.data_folder(env.str("HOMEPORT_DATA", paths.default_data(packaged=IS_PACKAGED)))
LOCAL_STATE = _local = state.load(DATA)

# The listeners and their processes.
HOST = environment.read_host(env)
PORT, TLS_PORT = environment.read_ports(env)
WORKERS = env.int("HOMEPORT_WORKERS", 2, validate=_PROCESSES)
CONNECTIONS = env.int("HOMEPORT_CONNECTIONS", 8, validate=_CONNECTIONS)
# How long a client may keep the server waiting: for the head of a request, and for the start of its body.
CLIENT_TIMEOUT_SECONDS = env.float("HOMEPORT_CLIENT_TIMEOUT_SECONDS", 20, validate=validate.Range(min=1, max=3600))
ENGINE_USER = env.str("HOMEPORT_ENGINE_USER", accounts.OWN)
# With less than this free for each bundled engine on their disk nothing new is stored, so that reads and deletes can go on.
DISK_RESERVE_MB = env.int("HOMEPORT_DISK_RESERVE_MB", 128, validate=_MEGABYTES)
# Of files that are asked for again and again, so much is kept on this disk as well.
CACHE_MB = env.int("HOMEPORT_CACHE_MB", 1024, validate=_MEGABYTES)
# Stored bytes are read again to find damage: at most so much in a minute, and each about once in four weeks. 0 reads none.
SCRUB_MB_PER_MINUTE = env.int("HOMEPORT_SCRUB_MB_PER_MINUTE", 120, validate=_MEGABYTES)

# Who may read `/metrics`, besides owners of the server with an access token of theirs.
METRICS_TOKEN = env.str("HOMEPORT_METRICS_TOKEN", "", validate=_is_token)

# How long the audit log keeps an entry.
AUDIT_DAYS = env.int("HOMEPORT_AUDIT_DAYS", 365, validate=validate.Range(min=1, max=36_500))

# How long what items were is kept, and how much of it for each collection.
HISTORY_DAYS = env.int("HOMEPORT_HISTORY_DAYS", 30, validate=validate.Range(min=1, max=3_650))
HISTORY_MAX_MB = env.int("HOMEPORT_HISTORY_MAX_MB", 1024, validate=_MEGABYTES)

# Backups: what is set here, the owner can't choose in the console. None: not set here.
BACKUP_PLAN = environment.read_backup_plan(env)
BACKUP_S3 = environment.read_backup_s3(env)
# Who is told when a backup or a drill fails.
BACKUP_MAIL_TO: list[str] = env.list("HOMEPORT_BACKUP_MAIL_TO", [])
BACKUP_WEBHOOK = environment.read_webhook(env)
# How mail is sent: to nobody but those.
EMAIL_HOST = env.str("HOMEPORT_SMTP_HOST", "localhost")
EMAIL_PORT = env.int("HOMEPORT_SMTP_PORT", 25, validate=validate.Range(min=1, max=65535))
EMAIL_HOST_USER = env.str("HOMEPORT_SMTP_USER", "")
EMAIL_HOST_PASSWORD = env.str("HOMEPORT_SMTP_PASSWORD", "")
_smtp_tls = env.str("HOMEPORT_SMTP_TLS", "none", validate=validate.OneOf(["none", "starttls", "tls"]))
EMAIL_USE_TLS, EMAIL_USE_SSL = _smtp_tls == "starttls", _smtp_tls == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("HOMEPORT_MAIL_FROM", "homeport@localhost")

# A second place for snapshots of collections: a folder, or s3://bucket/prefix of another S3.
SNAPSHOT_TARGET, SNAPSHOT_S3 = environment.read_second_place(env)

# Caddy in front, on the ports that people ask for, with a certificate for each name that is ours.
CADDY_IS_ON = env.bool("HOMEPORT_CADDY", False)
CADDY_HTTP_PORT = env.int("HOMEPORT_CADDY_HTTP_PORT", 80, validate=validate.Range(min=1, max=65535))
CADDY_HTTPS_PORT = env.int("HOMEPORT_CADDY_HTTPS_PORT", 443, validate=validate.Range(min=1, max=65535))
CADDY_ISSUER = env.str("HOMEPORT_CADDY_ISSUER", "acme", validate=validate.OneOf(["acme", "internal"]))

# Micros: the name that theirs end with, and what each may use. The defaults are the original service's limits.
MICROS_ARE_ON = env.bool("HOMEPORT_MICROS", True)
MICROS_DOMAIN = env.str("HOMEPORT_MICROS_DOMAIN", "localhost").lower().strip(".")
MICRO_REQUEST_SECONDS = env.float("HOMEPORT_MICRO_REQUEST_SECONDS", 10, validate=validate.Range(min=1, max=3600))
MICRO_START_SECONDS = env.float("HOMEPORT_MICRO_START_SECONDS", 30, validate=validate.Range(min=1, max=600))
MICRO_BUILD_SECONDS = env.float("HOMEPORT_MICRO_BUILD_SECONDS", 300, validate=validate.Range(min=1, max=3600))
MICRO_MEMORY_MB = env.int("HOMEPORT_MICRO_MEMORY_MB", 512, validate=validate.Range(min=64, max=1_048_576))
MICRO_TMP_MB = env.int("HOMEPORT_MICRO_TMP_MB", 512, validate=validate.Range(min=1, max=1_048_576))
MICRO_PROCESSES = env.int("HOMEPORT_MICRO_PROCESSES", 1024, validate=validate.Range(min=16, max=65_536))
# Networks that Micros may reach although they are private ones, such as a database beside this server.
MICROS_MAY_REACH = environment.read_reachable(env)

# Who may be asked for, and over what.
SECRET_KEY = env.str("HOMEPORT_SECRET_KEY", "") or (_local.secret_key if _local else secrets.token_urlsafe(50))
DEBUG = env.bool("HOMEPORT_DEBUG", False)
# Its own names are always among them: by these it is probed, by serve and from within a container.
_OWN_NAMES = ["localhost", "127.0.0.1", "[::1]", socket.gethostname().lower(), HOST]
# The names that people were told, of which the first leads from a Micro to the console.
GIVEN_HOSTS = environment.read_hosts(env)
# The hosts of the original service, for clients that know no other: the certificate names them, and 443 is listened on.
ORIGINAL_HOSTS = ["database.deta.sh", "drive.deta.sh"] if env.bool("HOMEPORT_ORIGINAL_HOSTS", False) else []
ALLOWED_HOSTS = [*GIVEN_HOSTS, *_OWN_NAMES, *ORIGINAL_HOSTS]
# Addresses or networks of reverse proxies whose X-Forwarded headers are believed.
TRUSTED_PROXIES = environment.read_proxies(env)
# The path below which the proxy in front has it, where the host has other things as well.
URL_PREFIX = environment.read_url_prefix(env)
FORCE_SCRIPT_NAME = URL_PREFIX or None
# For a server that people reach over https alone: pages redirect to it, cookies need it, browsers remember it.
HTTPS_ONLY = env.bool("HOMEPORT_HTTPS_ONLY", False)

# Sign-in through an OpenID Connect provider: off until there is an issuer.
OIDC_ISSUER = env.str("HOMEPORT_OIDC_ISSUER", "", validate=_is_issuer)
OIDC_CLIENT_ID = env.str("HOMEPORT_OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = env.str("HOMEPORT_OIDC_CLIENT_SECRET", "")
OIDC_NAME = env.str("HOMEPORT_OIDC_NAME", "single sign-on")
# Where it is not empty, only verified addresses at these domains are let in.
OIDC_DOMAINS = environment.read_domains(env)
# Whether the provider's people get an account here by signing in.
OIDC_SIGN_UP = env.bool("HOMEPORT_OIDC_SIGN_UP", False)
if OIDC_ISSUER and not OIDC_CLIENT_ID:
    raise EnvError("HOMEPORT_OIDC_ISSUER is set, but HOMEPORT_OIDC_CLIENT_ID is not")

ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "procrastinate.contrib.django",
    "storage",
    "console",
]

MIDDLEWARE = [
    "console.monitoring.operations.NamedOperation",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "console.not_kept.PrivateByDefault",
    "console.compression.PagesOnly",
    "console.cookies.CookiesByScheme",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # Before the check of forms, which reads the body: of a stranger none is taken in but for the pages that are for strangers.
    "allauth.account.middleware.AccountMiddleware",
    "console.accounts.gate.SignInRequired",
    "django.middleware.csrf.CsrfViewMiddleware",
    "console.parameters.PlainParameters",
    "console.audit.middleware.ActingPerson",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.page.page_context",
            ],
        },
    },
]

# The database: DATABASE_URL, else the bundled Postgres. Any statement ends before a client would have given up;
# a server that vanished without a word (no packet comes back) is noticed within five seconds.
STATEMENT_TIMEOUT_MS = env.int("HOMEPORT_STATEMENT_TIMEOUT_MS", 4500, validate=_MILLISECONDS)
# What takes so long is told in the log, with its plan; 0 for never.
SLOW_STATEMENT_MS = env.int("HOMEPORT_SLOW_STATEMENT_MS", 500, validate=_MILLISECONDS)
DATABASE_URL = env.str("DATABASE_URL", "")
# Past the pooler, where DATABASE_URL leads through one: web processes alone go through it, as `serve` tells them.
DIRECT_DATABASE_URL = env.str("HOMEPORT_DIRECT_DATABASE_URL", "")
_direct = environment.read_direct_database(env)
IS_POOLED = bool(_direct) and environment.is_of_many()
_database: dict[str, Any]
if DATABASE_URL:
    _database = environment.read_database(env)
    if _direct and not IS_POOLED:
        _database = _direct
elif _local:
    _database = {
        "HOST": _local.postgres.host,
        "PORT": _local.postgres.port,
        "USER": _local.postgres.user,
        "PASSWORD": _local.postgres.password,
        "NAME": _local.postgres.database,
        # No other program that takes its port while it is down is told the password.
        "OPTIONS": {"require_auth": "scram-sha-256"},
    }
else:
    # Nothing was started here yet: an address where nobody answers.
    _database = {"HOST": str(DATA / state.FILE_NAME), "NAME": "homeport"}

# The statements are written so that one plan is right for all values, and planning one costs more than running it does: so it is
# planned once, without the values. What it then must not do is read a whole table instead.
SESSION_SETTINGS = {
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "timezone": "UTC",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
}
_options = _database.setdefault("OPTIONS", {})
if not IS_POOLED:
    # Behind a pooler they are the role's (`storage/postgres/poolers.py`): a session there is not this client's alone.
    _asked = [_options.get("options", ""), *(f"-c {name}={value}" for name, value in SESSION_SETTINGS.items())]
    # The server tells its clients what its sessions are called: so these see whether what they asked for has arrived.
    _options["options"] = " ".join([*filter(None, _asked), "-c application_name=homeport"])
    _options.pop("application_name", None)
else:
    _options["application_name"] = "homeport"

DATABASES = {
    "default": {
        **_database,
        "ENGINE": "storage.postgres.backend",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
        "DISABLE_SERVER_SIDE_CURSORS": IS_POOLED,
        "OPTIONS": {
            **_options,
            "connect_timeout": 3,
            "server_side_binding": True,
            "keepalives": 1,
            "keepalives_idle": 2,
            "keepalives_interval": 1,
            "keepalives_count": 2,
            "tcp_user_timeout": 4500,
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Files: S3_ENDPOINT_URL, else the bundled SeaweedFS.
S3_ENDPOINT_URL, S3_BUCKET, S3_REGION = environment.read_s3(env)
S3_IS_BUNDLED = not S3_ENDPOINT_URL
# Where a SeaweedFS of one's own says whether it syncs what it confirms; nothing else is asked there.
SEAWEEDFS_FILER_URL = environment.read_filer(env)
S3_ACCESS_KEY_ID = env.str("S3_ACCESS_KEY_ID", "")
S3_SECRET_ACCESS_KEY = env.str("S3_SECRET_ACCESS_KEY", "")
# How the bundled one is reached: by its socket where there is one, and else with a certificate.
S3_SOCKET = ""
S3_TLS: state.EngineTls | None = None
if S3_IS_BUNDLED and _local:
    S3_SOCKET = _local.s3_socket(DATA)
    S3_TLS = state.engine_tls(_local.home(DATA))
    S3_ENDPOINT_URL = _local.s3.endpoint_url
    S3_BUCKET = _local.s3.bucket
    S3_ACCESS_KEY_ID = _local.s3.access_key
    S3_SECRET_ACCESS_KEY = _local.s3.secret_key

STATIC_URL = f"{URL_PREFIX}/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "console.vendored.AppsFinder",
    "console.vendored.AceFinder",
]
STORAGES = {"staticfiles": {"BACKEND": "console.static_files.storage.StaticFiles"}}

# Who runs jobs loads them all, and who asks for one loads those. To look for them at each start would load in every command what
# they need: a third of what it takes to begin.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = None
PROCRASTINATE_IMPORT_PATHS = ["storage.jobs"]
PROCRASTINATE_ON_APP_READY = "storage.postgres.queue_connections.connect"

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"

# A few at a time, so that nobody keeps the server busy by sending passwords.
PASSWORD_HASHERS = ["console.accounts.hashing.BoundedHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# A form of a page holds fields; bytes come in by scripts, which stream them on.
FILE_UPLOAD_HANDLERS = ["console.parameters.NoFiles"]

# Every page needs a signed-in person, but for those marked `login_not_required`.
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "collections"
LOGOUT_REDIRECT_URL = "sign-in"

# The second factor, by django-allauth, of whose pages and routes none is used. Tries are counted by our own throttle.
MFA_ADAPTER = "console.accounts.second_factor.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_DIGITS = 10
MFA_RATE_LIMITS = False
ACCOUNT_RATE_LIMITS = False
ACCOUNT_EMAIL_VERIFICATION = "none"

# Nothing inline, nothing from elsewhere, no frames.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'", NONCE],  # the nonce is for the import map, the one inline script (_layout.html)
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "console.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_FAILURE_VIEW = "console.error_views.csrf_failure"
CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_SSL_REDIRECT = HTTPS_ONLY
# Who asks these does it over http: `serve`, and our own Caddy.
SECURE_REDIRECT_EXEMPT = [rf"^{re.escape(URL_PREFIX[1:] + '/' if URL_PREFIX else '')}(healthz|readyz|domains/ask)$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY

# One entry, one line, on stderr or in a file of bounded size; console/logs.py says what becomes of it on its way there.
LOG_FILE = environment.read_log_file(env, DATA)
LOG_FORMAT = env.str("HOMEPORT_LOG_FORMAT", "text", validate=validate.OneOf(["text", "json"]))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "console.logs.TextLine", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {
            "()": "console.logs.JsonLine",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        },
    },
    "filters": {
        "without_unavailable": {"()": "console.logs.WithoutUnavailable"},
        "limited": {"()": "console.logs.Limited"},
    },
    "handlers": {
        "log": {"formatter": LOG_FORMAT, "filters": ["limited"]}
        | (
            {"class": "console.logs.BoundedFile", "filename": str(LOG_FILE), "encoding": "utf-8", "delay": True}
            if LOG_FILE
            else {"class": "console.logs.Stderr"}
        ),
        # What is logged during a recorded request is shown with it.
        "visor": {"class": "console.recording.request_log.Capture"},
    },
    "root": {"handlers": ["log", "visor"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["log", "visor"], "level": "INFO", "propagate": False},
        "django.request": {"level": "WARNING", "filters": ["without_unavailable"]},
        "django.security": {"level": "WARNING"},
        "procrastinate": {"level": "WARNING"},
        "fido2": {"level": "WARNING"},
    },
}
