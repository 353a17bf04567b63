"""The site's app: templates tags, commands of the demo, and the checks of its settings."""

from django.apps import AppConfig


class ReviewQueueConfig(AppConfig):
    name = "reviewqueue"

    def ready(self) -> None:
        from reviewqueue import checks  # noqa: F401, PLC0415 - registers them
