"""All settings of the site. Every variable is read once, here, typed; docs/settings.md lists them."""

import logging
import os
from datetime import timedelta
from pathlib import Path

import environ
from csp.constants import NONE, SELF

from reviewqueue.embedded import discover

# Models score on one thread: processes share the cores, and threads that wait for a busy one cost seconds.
os.environ.setdefault("OMP_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()  # NAME_FILE names a file that holds NAME
for _name, _value in discover.environment(BASE_DIR).items():
    env.ENVIRON.setdefault(_name, _value)

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8000")
HTTPS = PUBLIC_URL.startswith("https://")
RUN_DIR = Path(env.str("RUN_DIR", str(BASE_DIR / ".run")))
DATA_DIR = Path(env.str("DATA_DIR", str(RUN_DIR / "data")))
APP_VERSION = env.str("APP_VERSION", "0.1.0")

# Secrets of the house: "1:hex,2:hex", the highest number is in force; older ones explain older draws.
AUDIT_SECRETS = {int(n): bytes.fromhex(s) for n, s in (pair.split(":") for pair in env.list("AUDIT_SECRETS"))}
SUBJECT_SECRET = bytes.fromhex(env.str("SUBJECT_SECRET"))
SECRET_BOX_KEYS = env.list("SECRET_BOX_KEYS")  # Fernet keys, newest first: they seal webhook secrets
CHECKPOINT_KEY = env.str("CHECKPOINT_KEY", "")  # ed25519 seed in hex; without it nothing signs checkpoints
CHECKPOINT_DIR = Path(env.str("CHECKPOINT_DIR", str(DATA_DIR / "checkpoints")))

# The ed25519 seed in hex that seals model files; public keys besides its own whose seals hold; how large models may be.
MODEL_KEY = env.str("MODEL_KEY", "")
MODEL_PUBLIC_KEYS = env.list("MODEL_PUBLIC_KEYS", default=[])
MODEL_FILE_MB = env.int("MODEL_FILE_MB", 64)
MODEL_MEMORY_MB = env.int("MODEL_MEMORY_MB", 512)

# Mail tells of alerts. Without a host it goes to the log of the process that would have sent it.
EMAIL_HOST = env.str("EMAIL_HOST", "")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = env.int("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", bool(EMAIL_HOST_USER))
EMAIL_TIMEOUT = 15  # seconds
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "review-queue@localhost")
EMAIL_DOMAIN = DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
ALERT_PAGE = f"{PUBLIC_URL}/floor/alerts/%d/"  # where a message about an alert leads

# Where webhooks may go besides public addresses (CIDR); the demo's receiver is on loopback.
OUTBOUND_ALLOWED = env.list("OUTBOUND_ALLOWED", default=[])

DATABASES = {
    "default": {
        **env.db("DATABASE_URL"),
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", 60),
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": env.bool("DISABLE_SERVER_SIDE_CURSORS", False),
    },
    # Only `migrate` uses it: the app runs under a role that can't change the record.
    "owner": env.db("DATABASE_OWNER_URL", default=env.str("DATABASE_URL")),
}
IS_OWNER_NAMED = any(name in env.ENVIRON for name in ("DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {"BACKEND": "reviewqueue.cache.ForgivingCache", "LOCATION": REDIS_URL},
    "database": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"},
}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "decisions",
    "reviewqueue",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "reviewqueue.api.short_way.ShortWay",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "reviewqueue.web.refusals.RefusalPages",
]

ROOT_URLCONF = "reviewqueue.urls"
WSGI_APPLICATION = "reviewqueue.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "reviewqueue.web.context.workplace",
            ],
        },
    },
]

AUTH_USER_MODEL = "decisions.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}}]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "reviewqueue.web.account.adapter.ClosedAccounts"
SOCIALACCOUNT_ADAPTER = "reviewqueue.web.account.adapter.ClosedSocialAccounts"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True  # an outside identity opens the account with its verified e-mail
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": env.json("OIDC_APPS", default=[])}}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_AUTOREFRESH = env.bool("WHITENOISE_AUTOREFRESH", DEBUG)
WHITENOISE_USE_FINDERS = env.bool("WHITENOISE_USE_FINDERS", True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS and env.bool("SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]  # probes come from inside, without a proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["reviewqueue.api.auth.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["reviewqueue.api.auth.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["reviewqueue.api.formats.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["reviewqueue.api.formats.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["reviewqueue.api.auth.TokenThrottle"],
    "DEFAULT_THROTTLE_RATES": {"token": env.str("API_THROTTLE", "6000/min")},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "reviewqueue.api.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Review Queue",
    "DESCRIPTION": "From a score to a signed record.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "integer", "format": "int64", "minimum": 0}},
    "POSTPROCESSING_HOOKS": [],  # choices stay where they are used, under no made-up names
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "socket_timeout": 5, "socket_connect_timeout": 5}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_PUBLISH_RETRY = False  # a message is a hint: what is due is found again by the sweeps below
TRAINING_AT_ONCE = env.int("TRAINING_AT_ONCE", 1)  # each takes a worker process for itself
CELERY_BEAT_SCHEDULE = {
    name: {"task": f"decisions.tasks.{name}", "schedule": seconds, "options": {"expires": seconds * 3}}
    for name, seconds in {
        "deliver_due": 2.0,
        "feed_labels": 2.0,
        "push_labels": 5.0,
        "sweep_leases": 5.0,
        "expire_overdue": 15.0,
        "roll_up": 10.0,
        "relieve_overload": 30.0,
        "guard_canaries": 60.0,
        "send_notices": 15.0,
        "watch_signals": 300.0,
        "check_accounts": 300.0,
        "grade_people": 300.0,
        "close_frames": 900.0,  # a day has to be over: minutes do not matter
        "score_shadows": 3.0,  # half a second of work each time
        "freeze_data_sets": 300.0,
        "keep_similar": 600.0,
        "tend_training": 10.0,
        "trigger_training": 60.0,
        "forget_requests": 3600.0,
        "sign_heads": 600.0,  # one an hour; the rest find it there
    }.items()
}

DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # the line at the end of a request says all
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # addresses are personal; the proxy's log has them where they are needed
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "reviewqueue.logs.formatter", "level": LOG_LEVEL}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
