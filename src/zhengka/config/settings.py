"""Django's settings, one file; every value that differs between places comes from `env`."""

from pathlib import Path

from zhengka.config.env import (
    ADDRESS,
    EARLIER_HOSTS,
    ENV,
    PROJECT,
    code_hosts,
    database,
    public_url,
    secret,
    sentences,
    token_place,
)

HOME = Path(ENV.home)
DATA = Path(ENV.data)
FILES = HOME / "files"
BIND = ENV.bind
PUBLIC_URL, PUBLIC_URL_FILE = public_url(ENV), ADDRESS
CODE_HOSTS, CODE_HOSTS_FILE = code_hosts(ENV), EARLIER_HOSTS
DEMO = ENV.demo == "1"
RUN_ONCE = ENV.run_once == "1"
WORKERS = int(ENV.workers)
BEHIND_FRONT = ENV.https == "1"
EMBEDDED_DATABASE = not ENV.database_url
PG_BIN = ENV.pg_bin
OUTBOX, SMS_URL, SMS_SECRET = ENV.outbox, ENV.sms_url, ENV.sms_secret
PORTAL_SECRET = ENV.portal_secret
WEBHOOK_LOOPBACK = ENV.webhook_loopback == "1"
READER_AGENT = f"ws://127.0.0.1:{ENV.reader_port}"

DEBUG = ENV.debug == "1"
SECRET_KEY = secret(HOME, "django").hex()
FIELD_KEYS = {1: secret(HOME, "field-key-1")}
FIELD_KEY_CURRENT = 1
INDEX_KEY = secret(HOME, "index-key")
KEY_TOKEN = token_place(ENV.key_store)
KEY_FILE = "" if KEY_TOKEN else ENV.key_store
KEY_MECHANISMS = DATA / "tokens" / f"{ENV.key_mechanisms}.toml"
KEY_PASSPHRASE = ENV.key_passphrase or ("" if KEY_TOKEN else secret(HOME, "key-passphrase").hex())
ALLOWED_HOSTS = [host.strip() for host in ENV.allowed_hosts.split(",")]

ROOMS = ["core", "areas", "accounts", "partners", "letters", "bulk", "assessment", "keys", "devices", "stock",
         "registry", "papers",         "cards", "production", "custody", "cases", "gates", "programme"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "procrastinate.contrib.django",
    *(f"zhengka.{room}" for room in ROOMS),
    "zhengka.web.ui",
    "zhengka.web.staff",
    "zhengka.web.public",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "zhengka.api.problems.Problems",
    "zhengka.api.door.Door",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "zhengka.web.middleware.ContentSecurityPolicy",
    "zhengka.web.middleware.Scope",
    "zhengka.web.middleware.Refusals",
]
ROOT_URLCONF = "zhengka.config.urls"
WSGI_APPLICATION = "zhengka.config.wsgi.application"
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.messages.context_processors.messages",
        "zhengka.web.context.page",
    ]},
}]
FORM_RENDERER = "zhengka.web.ui.forms.Renderer"

DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql",
    "CONN_MAX_AGE": None,  # Django's default closes after each request: 199 instead of 2,000 requests/s
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {"options": "-c jit=off"},  # compiling a short statement takes longer than running it (ADR 7)
    **database(ENV),
}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.Officer"
AUTHENTICATION_BACKENDS = ["zhengka.web.sessions.Sessions"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "staff:login"
LOGIN_REDIRECT_URL = "staff:home"
SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.https == "1"
SECURE_HSTS_SECONDS = 31_536_000 if ENV.https == "1" else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "zhengka.web.ui.pages.csrf_failure"

LANGUAGE_CODE = ENV.languages.split(",")[0]
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
LOCALE_PATHS: list[Path] = []

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
FILE_UPLOAD_TEMP_DIR = HOME / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler",
                        "zhengka.web.uploads.NamelessUploadHandler"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "zhengka.config.logs.Line", "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"zhengka": {"level": "INFO"}},
}
PROJECT_ROOT = PROJECT
SETTING_SENTENCES = sentences()
