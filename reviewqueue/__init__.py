"""The site around the core; it decides nothing."""

from reviewqueue.celery import app as celery_app

__all__ = ["celery_app"]
