"""What an administrator chooses of a right, a form for each role."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from decisions.models import Item, Membership, Task
from decisions.rights import Act, Limit, Own, changes
from decisions.rights.edit import LONGEST
from reviewqueue.web.access import words

BELOW, NO, YES = "below", "no", "yes"
BOXES = forms.CheckboxSelectMultiple


class CellForm(forms.Form):
    """How far one role has one right: as below (on a queue: as on the site), not at all, or so far."""

    mark_optional = False

    may = forms.ChoiceField(label=_("May"))
    is_valued = forms.BooleanField(label=_("Within the person's own value limit"), required=False)
    up_to = forms.FloatField(label=_("Up to the value"), min_value=0, required=False, help_text=_("empty = any"))
    rank = forms.TypedChoiceField(label=_("Up to the rank"), choices=Task.Rank.choices, coerce=int)
    own = forms.ChoiceField(label=_("Whose"))
    purposes = forms.MultipleChoiceField(label=_("Purposes"), choices=Task.Purpose.choices, widget=BOXES)
    routes = forms.MultipleChoiceField(label=_("Routes"), choices=Item.Route.choices, widget=BOXES)

    def __init__(
        self, said: QueryDict | None, *, act: Act, role: str, limit: Limit | None, is_own: bool, has_below: bool
    ) -> None:
        super().__init__(said, prefix=role, initial=_initial(limit, is_own=is_own, has_below=has_below))
        self.act, self.role, self.label = act, role, Membership.Role(role).label
        self._choose("may", [*([(BELOW, _("As on the site"))] if has_below else []), (NO, _("No")), (YES, _("Yes"))])
        self._choose("own", [(own.value, words.OWN[own]) for own in changes.OWNS.get(act, (Own.ANY,))])
        for name in set(self.fields) - {"may"} - changes.FREE.get(act, frozenset()):
            del self.fields[name]
        for name, field in self.fields.items():
            field.required = name == "may"

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            for fault in changes.faults({self.act: self.cell()}):
                self.add_error(fault.field.split(".")[2] if fault.field.count(".") == 2 else "may", fault.detail)
        return cleaned

    def cell(self) -> dict[str, Limit | None]:
        """Return the cell as it was chosen, under its role; none where it is as below."""
        said = self.cleaned_data
        if said["may"] == BELOW:
            return {}
        return {self.role: _limit(self.act, said) if said["may"] == YES else None}


class WhyForm(forms.Form):
    """Why the rights change, or a change is answered."""

    why = forms.CharField(label=_("Why"), max_length=LONGEST, widget=forms.Textarea({"rows": 2}))


class MemberForm(forms.Form):
    """Whom to give which role, and up to which value."""

    email = forms.EmailField(label=_("E-mail address"))
    role = forms.ChoiceField(label=_("Role"), choices=Membership.Role.choices)
    value_limit = forms.FloatField(
        label=_("Value limit"), min_value=0, required=False, help_text=_("decides up to this value; empty = any")
    )


class NewPersonForm(MemberForm):
    """Somebody who is not here yet."""

    name = forms.CharField(label=_("Name"), max_length=80)
    field_order = ("name", "email", "role", "value_limit")


def _initial(limit: Limit | None, *, is_own: bool, has_below: bool) -> dict[str, Any]:
    may = BELOW if has_below and not is_own else NO if limit is None else YES
    shown = limit or Limit()
    return {
        "may": may,
        "is_valued": shown.is_valued,
        "up_to": shown.up_to,
        "rank": int(shown.rank),
        "own": shown.own.value,
        "purposes": list(Task.Purpose.values if shown.purposes is None else shown.purposes),
        "routes": list(Item.Route.values if shown.routes is None else shown.routes),
    }


def _limit(act: Act, said: Mapping[str, Any]) -> Limit:
    """Return the limit that was chosen; all of a list is no limit."""
    given: dict[str, Any] = {name: said[name] for name in ("is_valued", "up_to", "rank") if said.get(name)}
    if said.get("own"):
        given["own"] = Own(said["own"])
    for name, known in changes.LISTS.items():
        if name in said and set(said[name]) != known:
            given[name] = frozenset(said[name])
    return Limit(**{**given, **changes.FIXED.get(act, {})})
