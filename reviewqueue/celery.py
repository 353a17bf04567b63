"""The Celery app: a door to `decisions.tasks`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewqueue.settings")

app = Celery("reviewqueue")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["decisions"])
# The name of a module whose signal handlers leave signs of life for health checks.
app.conf.imports = ("reviewqueue.heartbeat",)
