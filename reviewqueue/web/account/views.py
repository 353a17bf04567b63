"""One's own settings."""

import json

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from decisions.exceptions import Fault, Invalid
from reviewqueue.web.people import signed_in

LONGEST = 4_000  # characters of the stored choice


@login_required
@require_POST
def keys(request: HttpRequest) -> HttpResponse:
    """Keep which keys this person gave to which action: `{"preset": name, "own": {action: key}}`."""
    person = signed_in(request)
    try:
        choice = json.loads(request.body[: LONGEST + 1])
    except ValueError:
        choice = None
    if not _is_choice(choice) or len(request.body) > LONGEST:
        raise Invalid(
            faults=[Fault("keys", "form", _("A choice of keys names a set and the keys that differ from it."))]
        )
    person.keys = choice
    person.save(update_fields=["keys"])
    return HttpResponse(status=204)


def _is_choice(choice: object) -> bool:
    return (
        isinstance(choice, dict)
        and set(choice) == {"preset", "own"}
        and isinstance(choice["preset"], str)
        and isinstance(choice["own"], dict)
        and all(isinstance(text, str) for pair in choice["own"].items() for text in pair)
    )
