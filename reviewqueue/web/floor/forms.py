"""What a manager types on the floor."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from decisions.exceptions import Invalid
from decisions.measure.overload import Mode
from decisions.models import Task
from decisions.queues.pause import Why as PauseWhy
from decisions.watch.overload import Why
from decisions.work import clock, why
from decisions.work.team import Member


def typed_in(form: forms.Form, name: str, zone: ZoneInfo) -> datetime:
    """Read what was typed as a time in a zone; one that the clock skips is an error of its field."""
    typed: datetime = timezone.make_naive(form.cleaned_data[name])
    try:
        return clock.moment(typed, zone, field=name, is_end=name == "ends_at")
    except Invalid as refused:
        raise forms.ValidationError(refused.detail) from None


class SpanForm(forms.Form):
    """A span by a clock."""

    ORDER = _("It ends after it starts.")

    starts_at = forms.DateTimeField(label=_("From"), widget=forms.DateTimeInput({"type": "datetime-local"}))
    ends_at = forms.DateTimeField(label=_("To"), widget=forms.DateTimeInput({"type": "datetime-local"}))

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        self.zone = zone
        super().__init__(*args, **kwargs)

    def clean_starts_at(self) -> datetime:
        return self._in_zone("starts_at")

    def clean_ends_at(self) -> datetime:
        return self._in_zone("ends_at")

    def _in_zone(self, name: str) -> datetime:
        """Read what was typed as a time on that clock."""
        return typed_in(self, name, self.zone)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("starts_at"), cleaned.get("ends_at")
        if start and end and end <= start:
            self.add_error("ends_at", self.ORDER)
        return cleaned


class ShiftForm(SpanForm):
    """A shift in the queue's own time zone."""

    ORDER = _("A shift ends after it starts.")

    people = forms.IntegerField(label=_("People"), min_value=1, max_value=10_000)
    rate = forms.FloatField(
        label=_("Decisions per person and hour"), min_value=0.1, required=False, help_text=_("empty = as measured")
    )


class AwayForm(SpanForm):
    """One's own absence, on one's own clock."""

    ORDER = _("An absence ends after it starts.")


class NamedForm(SpanForm):
    """A shift of a person by name, or an absence, on that person's own clock."""

    person = forms.TypedChoiceField(label=_("Who"), coerce=int)
    field_order = ("person", "starts_at", "ends_at")

    def __init__(
        self, *args: Any, zones: Mapping[int, ZoneInfo], names: Sequence[tuple[int, str]], **kwargs: Any
    ) -> None:
        self.zones = zones
        super().__init__(*args, **kwargs)
        field = self.fields["person"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(names)

    def _in_zone(self, name: str) -> datetime:
        return typed_in(self, name, self.zones.get(self.cleaned_data.get("person", 0), self.zone))


class AssignForm(forms.Form):
    """Who is to have a task, for how long, and why."""

    HOURS = (1, 4, 8, 24, 72)

    person = forms.TypedChoiceField(label=_("To"), coerce=int)
    hours = forms.TypedChoiceField(
        label=_("Kept for, hours"), coerce=int, choices=[(hours, str(hours)) for hours in HOURS], initial=4
    )
    reason = forms.ChoiceField(label=_("Why"), choices=why.Handover.choices)

    def __init__(self, *args: Any, members: Sequence[Member], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["person"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(member.user.pk, str(member.user)) for member in members]

    def until(self, at: datetime) -> datetime:
        """Return when it is everybody's again."""
        return at + timedelta(hours=self.cleaned_data["hours"])


class ReliefForm(forms.Form):
    """Who decides about an overload rule, and why."""

    rule = forms.ChoiceField(label=_("Rule"))
    mode = forms.ChoiceField(
        label=_("Who decides"),
        choices=[(Mode.AUTO, _("by the figures")), (Mode.ON, _("switched on")), (Mode.OFF, _("switched off"))],
    )
    why = forms.ChoiceField(label=_("Why"), choices=Why.choices)

    def __init__(self, *args: Any, rules: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.fields["rule"]
        assert isinstance(rule, forms.ChoiceField)
        rule.choices = list(rules)


class HoursForm(forms.Form):
    """Which hours are shown."""

    DAY = 24

    purpose = forms.ChoiceField(label=_("Purpose"), required=False, choices=[("", _("All")), *Task.Purpose.choices])
    count = forms.TypedChoiceField(
        label=_("Of the"),
        coerce=int,
        choices=[(DAY, _("last day")), (2 * DAY, _("last two days")), (7 * DAY, _("last week"))],
    )


class PauseForm(forms.Form):
    """Why a queue is paused or goes on."""

    why = forms.ChoiceField(label=_("Why"), choices=PauseWhy.choices)
