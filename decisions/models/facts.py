"""What makes a table a table of facts."""

from django.db import models


class Fact(models.Model):
    """A row that never changes: the app role may only insert and select, and triggers refuse the rest to everybody."""

    class Meta:
        abstract = True
