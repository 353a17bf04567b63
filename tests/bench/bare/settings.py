"""Settings of the bare site: the database, the framework and nothing else: no middleware, no people, no log lines."""

from reviewqueue.settings import DATABASES, DEFAULT_AUTO_FIELD, SECRET_KEY

__all__ = ["DATABASES", "DEFAULT_AUTO_FIELD", "SECRET_KEY"]

ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["rest_framework"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.bench.bare.views"
USE_TZ = True
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
