"""Django's settings, all that can differ between installations read from the environment (`docs/settings.md` lists them).

Loading them writes nothing: what `serve` generated for this data folder (secret key, the bundled engines' addresses and
credentials) is read from `<data>/homeport.json`, and while there is none, a key for this process alone is made up.
"""

import secrets
import socket
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONCE
from environs import Env, EnvError, ValidationError, validate

from storage.embedded import paths, state

BASE_DIR = Path(__file__).resolve().parent.parent
# The package `homeport` carries these folders in `_app`; a checkout is itself the folder that they are in.
IS_PACKAGED = BASE_DIR.name == "_app"
# What pages tell people to type.
COMMAND = "homeport" if IS_PACKAGED else ".venv/bin/python manage.py"
env = Env()

_PORT = validate.Range(min=0, max=65535)
_AT_LEAST_ONE = validate.Range(min=1)


def _is_issuer(url: str) -> None:
    """An OpenID Connect issuer is reached over https; one on this machine may do without. Raises ValidationError."""
    if url and not url.startswith(("https://", "http://localhost:", "http://127.0.0.1:")):
        raise ValidationError("An issuer's address begins with https://")


# Where this installation keeps everything.
DATA = Path(env.str("HOMEPORT_DATA", paths.default_data(packaged=IS_PACKAGED))).expanduser().resolve()
LOCAL_STATE = _local = state.load(DATA)

# The listeners and their processes.
HOST = env.str("HOMEPORT_HOST", "127.0.0.1")
PORT = env.int("HOMEPORT_PORT", 8000, validate=_PORT)
TLS_PORT = env.int("HOMEPORT_TLS_PORT", 8443, validate=_PORT)
WORKERS = env.int("HOMEPORT_WORKERS", 2, validate=_AT_LEAST_ONE)
CONNECTIONS = env.int("HOMEPORT_CONNECTIONS", 8, validate=_AT_LEAST_ONE)
ENGINE_USER = env.str("HOMEPORT_ENGINE_USER", "nobody")
# With less than this free on the bundled engines' disk nothing new is stored, so that reads and deletes can go on.
DISK_RESERVE_MB = env.int("HOMEPORT_DISK_RESERVE_MB", 256, validate=validate.Range(min=0))
# Of files that are asked for again and again, so much is kept on this disk as well.
CACHE_MB = env.int("HOMEPORT_CACHE_MB", 1024, validate=validate.Range(min=0))

# Who may be asked for, and over what.
SECRET_KEY = env.str("HOMEPORT_SECRET_KEY", "") or (_local.secret_key if _local else secrets.token_urlsafe(50))
DEBUG = env.bool("HOMEPORT_DEBUG", False)
# Its own names are always among them: by these it is probed, by serve and from within a container.
_OWN_NAMES = ["localhost", "127.0.0.1", "[::1]", socket.gethostname().lower(), HOST]
ALLOWED_HOSTS = [*env.list("HOMEPORT_ALLOWED_HOSTS", []), *_OWN_NAMES]
# Addresses or networks of reverse proxies whose X-Forwarded headers are believed.
TRUSTED_PROXIES: list[str] = env.list("HOMEPORT_TRUSTED_PROXIES", [])
# For a server that people reach over https alone: pages redirect to it, cookies need it, browsers remember it.
HTTPS_ONLY = env.bool("HOMEPORT_HTTPS_ONLY", False)

# Sign-in through an OpenID Connect provider: off until there is an issuer.
OIDC_ISSUER = env.str("HOMEPORT_OIDC_ISSUER", "", validate=_is_issuer)
OIDC_CLIENT_ID = env.str("HOMEPORT_OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = env.str("HOMEPORT_OIDC_CLIENT_SECRET", "")
OIDC_NAME = env.str("HOMEPORT_OIDC_NAME", "single sign-on")
# Where it is not empty, only verified addresses at these domains are let in.
OIDC_DOMAINS: list[str] = env.list("HOMEPORT_OIDC_DOMAINS", [])
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
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "console.compression.PagesOnly",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "console.accounts.gate.SignInRequired",
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
                "console.page.dialog_template",
            ],
        },
    },
]

# The database: DATABASE_URL, else the bundled Postgres. Any statement ends before a client would have given up;
# a server that vanished without a word (no packet comes back) is noticed within five seconds.
STATEMENT_TIMEOUT_MS = env.int("HOMEPORT_STATEMENT_TIMEOUT_MS", 4500, validate=validate.Range(min=0))
DATABASE_URL = env.str("DATABASE_URL", "")
_database: dict[str, Any]
if DATABASE_URL:
    _database = dict(dj_database_url.parse(DATABASE_URL))
elif _local:
    _database = {
        "HOST": _local.postgres.host,
        "PORT": _local.postgres.port,
        "USER": _local.postgres.user,
        "PASSWORD": _local.postgres.password,
        "NAME": _local.postgres.database,
    }
else:
    # Nothing was started here yet: an address where nobody answers.
    _database = {"HOST": str(DATA / state.FILE_NAME), "NAME": "homeport"}

DATABASES = {
    "default": {
        **_database,
        "ENGINE": "storage.postgres.backend",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {
            **_database.get("OPTIONS", {}),
            "connect_timeout": 3,
            "server_side_binding": True,
            "application_name": "homeport",
            # The statements are written so that one plan is right for all values, and planning one costs more than running
            # it does: so it is planned once, without the values. What it then must not do is read a whole table instead.
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"
            " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off",
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
S3_REGION = env.str("S3_REGION", "us-east-1")
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", "")
S3_IS_BUNDLED = not S3_ENDPOINT_URL
S3_BUCKET = env.str("S3_BUCKET", "homeport")
S3_ACCESS_KEY_ID = env.str("S3_ACCESS_KEY_ID", "")
S3_SECRET_ACCESS_KEY = env.str("S3_SECRET_ACCESS_KEY", "")
if S3_IS_BUNDLED and _local:
    S3_ENDPOINT_URL = _local.s3.endpoint_url
    S3_BUCKET = _local.s3.bucket
    S3_ACCESS_KEY_ID = _local.s3.access_key
    S3_SECRET_ACCESS_KEY = _local.s3.secret_key

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "console.vendored.AppsFinder",
    "console.vendored.AceFinder",
]
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

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
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY

# One entry, one line, on stderr. A client's mistake (4xx) is the client's to read, not the log's.
LOG_FORMAT = env.str("HOMEPORT_LOG_FORMAT", "text", validate=validate.OneOf(["text", "json"]))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "console.logs.OneLine", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        },
    },
    "filters": {"without_unavailable": {"()": "console.logs.WithoutUnavailable"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
        # What is logged during a recorded request is shown with it.
        "visor": {"class": "console.recording.request_log.Capture"},
    },
    "root": {"handlers": ["stderr", "visor"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["stderr", "visor"], "level": "INFO", "propagate": False},
        "django.request": {"level": "ERROR", "filters": ["without_unavailable"]},
        "django.security": {"level": "ERROR"},
        "procrastinate": {"level": "WARNING"},
        "fido2": {"level": "WARNING"},
        "_granian": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
