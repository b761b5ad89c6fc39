"""Django settings of the portal: everything variable comes from `hub.environment`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF
from django.contrib.messages import constants as messages
from django.utils.translation import gettext_lazy as _

from hub.environment import load_environment
from hub.portal.keys import ensure_openid_key, ensure_secret_key

ENVIRONMENT = load_environment()
PORTAL = Path(__file__).resolve().parent
STATE = ENVIRONMENT.state_dir

SECRET_KEY = ensure_secret_key(STATE / "keys")
DEBUG = ENVIRONMENT.debug
# "portal": the name learners' servers use on the socket; 127.0.0.1: the Hub asks on the portal's own port.
ALLOWED_HOSTS = [ENVIRONMENT.portal_host, "portal", "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT.public_url]
ROOT_URLCONF = "hub.portal.urls"
ASGI_APPLICATION = "hub.portal.asgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "hub.portal.apps.PortalConfig",
    "hub.portal.accounts.apps.AccountsConfig",
    "hub.portal.catalogue.apps.CatalogueConfig",
    "hub.portal.learning.apps.LearningConfig",
    "hub.portal.authoring.apps.AuthoringConfig",
    "hub.portal.door.apps.DoorConfig",
    "hub.portal.outbox.apps.OutboxConfig",
    "graders.apps.GradersConfig",
    "badges.apps.BadgesConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.idp.oidc",
    "csp",
    "django_htmx",
    "django_tasks_db",
]

MIDDLEWARE = [
    "hub.portal.middleware.LearnersSocketMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "hub.portal.accounts.middleware.ApprovalMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PORTAL / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hub.portal.navigation.navigation",
            ],
        },
    }
]


def _databases() -> dict[str, dict[str, object]]:
    if not ENVIRONMENT.database_url:
        return {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": STATE / "portal.sqlite",
                # IMMEDIATE: a transaction that reads then writes must not fail half-way with SQLITE_BUSY.
                # 30 s: django-tasks-db's worker dies if a lock outlasts the timeout.
                "OPTIONS": {
                    "timeout": 30,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=30000;",
                },
            }
        }
    url = urlsplit(ENVIRONMENT.database_url)
    return {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path.lstrip("/"),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": unquote(url.hostname or ""),
            "PORT": url.port or "",
            "CONN_MAX_AGE": 60,
        }
    }


DATABASES = _databases()

# --- people -----------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "hub.portal.accounts.signin.SignInBackend",
    "hub.portal.accounts.permissions.RoleBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/mes-parcours/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "hub.portal.accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "hub.portal.accounts.forms.SignupForm"
ACCOUNT_FORMS = {
    "login": "hub.portal.accounts.allauthforms.LoginForm",
    "signup": "hub.portal.accounts.allauthforms.SignupForm",
    "add_email": "hub.portal.accounts.allauthforms.AddEmailForm",
    "change_password": "hub.portal.accounts.allauthforms.ChangePasswordForm",
    "set_password": "hub.portal.accounts.allauthforms.SetPasswordForm",
    "reset_password": "hub.portal.accounts.allauthforms.ResetPasswordForm",
    "reset_password_from_key": "hub.portal.accounts.allauthforms.ResetPasswordKeyForm",
}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Pupitre : "
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # our own signal ends the other sessions and keeps this one
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(ENVIRONMENT.public_url).scheme
# A whole class signs up and in from one address in the same minute; guessing one account's password stays slow.
ACCOUNT_RATE_LIMITS = {"signup": "60/m/ip", "login": "120/m/ip", "login_failed": "60/m/ip,5/5m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 + ENVIRONMENT.proxies  # configurable-http-proxy: every connection comes from 127.0.0.1
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SOCIALACCOUNT_PROVIDERS: dict[str, object] = {}
SOCIALACCOUNT_ADAPTER = "hub.portal.accounts.adapters.SocialAccountAdapter"
if ENVIRONMENT.oidc_issuer:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "externe",
                "name": urlsplit(ENVIRONMENT.oidc_issuer).hostname,
                "client_id": ENVIRONMENT.oidc_client_id,
                "secret": ENVIRONMENT.oidc_client_secret,
                "settings": {"server_url": ENVIRONMENT.oidc_issuer},
            }
        ]
    }
IDP_OIDC_ADAPTER = "hub.portal.accounts.identity.PortalOIDCAdapter"
IDP_OIDC_PRIVATE_KEY = ensure_openid_key(STATE / "keys")
USERSESSIONS_TRACK_ACTIVITY = False

# --- cookies and headers ----------------------------------------------------------------------------------------------
_https = ENVIRONMENT.public_url.startswith("https://")
SESSION_COOKIE_NAME = "pupitre_session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
if _https:  # without TLS in front, the header could only be a visitor's own
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
MESSAGE_TAGS = {messages.DEBUG: "info", messages.ERROR: "danger"}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        # A form that opens a module is answered by a redirect to the Hub's host.
        "form-action": [SELF, ENVIRONMENT.jupyter_url],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 << 20
DATA_UPLOAD_MAX_NUMBER_FILES = 2000  # a course published from the workshop is one call

# --- files, language, messages ----------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = STATE / "static"
# From npm packages, served by us: nothing is fetched from elsewhere when a page is read.
STATICFILES_DIRS = [
    ("bootstrap", ENVIRONMENT.node_modules / "bootstrap" / "dist"),
    ("htmx", ENVIRONMENT.node_modules / "htmx.org" / "dist"),
    ("source-sans", ENVIRONMENT.node_modules / "@fontsource-variable" / "source-sans-3"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False
LANGUAGE_CODE = "fr"
LOCALE_PATHS = [PORTAL / "locale"]
# Offered only once it is translated: a browser in English must not get pages that mix both.
LANGUAGES = [("fr", _("français"))] + ([("en", _("anglais"))] if (PORTAL / "locale" / "en").is_dir() else [])
TIME_ZONE = "Europe/Paris"
USE_TZ = True

# Messages are rows first, in the transaction of what they tell; a worker sends them (hub/portal/outbox).
EMAIL_BACKEND = "hub.portal.outbox.backend.OutboxBackend"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.email_from
if ENVIRONMENT.email_url:
    _mail = urlsplit(ENVIRONMENT.email_url)
    OUTBOX_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
    EMAIL_USE_TLS = "tls=1" in _mail.query
else:
    OUTBOX_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = STATE / "mail"

# Where `graders`, which knows sessions by slug only, finds their titles.
GRADERS_SESSION_MODEL = "catalogue.CourseSession"
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "marking"]}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"httpx": {"level": "WARNING"}},  # it writes a line per call to the Hub
}
