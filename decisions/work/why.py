"""The codes that say why a task was left. Moves are kept for ever, so they hold codes and no free text."""

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions.exceptions import Fault, Invalid


class Skip(models.TextChoices):
    """Why somebody else should take it."""

    UNCLEAR = "unclear", gettext_lazy("I cannot judge this")
    LANGUAGE = "language", gettext_lazy("I do not read this language")
    INVOLVED = "involved", gettext_lazy("I know somebody who is concerned")
    DISTRESSING = "distressing", gettext_lazy("I would rather not look at this")
    BROKEN = "broken", gettext_lazy("It is not shown as it should be")


class Escalate(models.TextChoices):
    """Why somebody more senior has to decide."""

    GUIDELINE = "guideline", gettext_lazy("The guideline does not cover this")
    STAKES = "stakes", gettext_lazy("Too much is at stake")
    EXPERT = "expert", gettext_lazy("It needs an expert")
    ABUSE = "abuse", gettext_lazy("I suspect abuse or fraud")


class Expiry(models.TextChoices):
    """What the queue's rule did with a task that nobody decided in time."""

    PASS = "pass", gettext_lazy("It was passed by the queue's rule")
    ACT = "act", gettext_lazy("It was acted on by the queue's rule")
    ESCALATE = "escalate", gettext_lazy("It was escalated by the queue's rule")
    END = "end", gettext_lazy("It ended without an answer")


class Hold(models.TextChoices):
    """What is waited for."""

    INFORMATION = "information", gettext_lazy("I am waiting for information")
    COLLEAGUE = "colleague", gettext_lazy("I am asking a colleague")
    BREAK = "break", gettext_lazy("I am taking a break")


class Handover(models.TextChoices):
    """Why tasks go to somebody else."""

    LOAD = "load", gettext_lazy("Somebody has too much, another one time")
    ABSENCE = "absence", gettext_lazy("Somebody is away")
    SKILL = "skill", gettext_lazy("It needs somebody who knows this")
    URGENT = "urgent", gettext_lazy("It cannot wait its turn")
    CONFLICT = "conflict", gettext_lazy("Somebody should not judge this")


class Known(models.TextChoices):
    """How it is known what an item is."""

    SETTLED = "settled", gettext_lazy("A disagreement about it was settled")
    CLEAR = "clear", gettext_lazy("The guideline leaves no doubt")
    EXPERT = "expert", gettext_lazy("An expert looked into it")
    OUTSIDE = "outside", gettext_lazy("The truth came from outside")
    SIMULATED = "simulated", gettext_lazy("The demo knows the truth of its rows")


class Retire(models.TextChoices):
    """Why an item is no longer given out as gold."""

    KNOWN = "known", gettext_lazy("People know it by now")
    GUIDELINE = "guideline", gettext_lazy("The guideline has changed")
    WRONG = "wrong", gettext_lazy("What was said of it is wrong: answers to it count no more")


def check(reason: str, codes: type[models.TextChoices]) -> str:
    """Return the reason, or refuse one that is none of these codes."""
    if reason not in codes.values:
        raise Invalid(
            _("Say why, with one of these codes: %(codes)s.") % {"codes": ", ".join(codes.values)},
            faults=[Fault("reason", "choice" if reason else "required", _("This is none of the reasons."))],
        )
    return reason
