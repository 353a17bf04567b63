"""The steps of a policy's life, taken on its page."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from decisions.exceptions import Invalid
from decisions.models import Policy, PolicyChange, User
from decisions.record import log
from decisions.rights import Act
from decisions.routing import publish
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in
from reviewqueue.web.science.forms import CanaryForm, WhyForm, faults_of


def _roll_back(*, policy: Policy, by: User, why: str, at: datetime) -> PolicyChange:
    return publish.roll_back(queue=policy.queue, to=policy, by=by, why=why, at=at)


Take = Callable[..., PolicyChange]
# What each step does, and what the page says when it is done.
STEPS: dict[str, tuple[Take, Promise | str]] = {
    "approve": (publish.approve, gettext_lazy("Policy %(no)s is approved. It routes nothing yet.")),
    "withdraw": (publish.withdraw, gettext_lazy("Policy %(no)s is withdrawn.")),
    "canary": (publish.canary, gettext_lazy("Policy %(no)s is running as a canary.")),
    "stop": (publish.stop, gettext_lazy("The canary is stopped. Policy %(no)s is approved and routes nothing.")),
    "publish": (publish.publish, gettext_lazy("Policy %(no)s is live.")),
    "roll_back": (_roll_back, gettext_lazy("Policy %(no)s is live again.")),
}


@login_required
@require_POST
def take(request: HttpRequest, slug: str, no: int, step: str) -> HttpResponse:
    """Take a step of a policy's life. Refuses what moved since the page was shown."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.DRAFT_POLICY)
    said = _said(CanaryForm(request.POST) if step == "canary" else WhyForm(request.POST))
    policy = publish.numbered(queue, no, said.pop("state"))
    do, told = STEPS[step]
    do(policy=policy, by=person, at=log.now(), **said)
    messages.success(request, str(told) % {"no": no})
    return redirect("science:show", slug)


def _said(form: WhyForm) -> dict[str, Any]:
    """Return what the form says; refuses what does not fit it."""
    if form.is_valid():
        return dict(form.cleaned_data)
    if "why" in form.errors:
        raise Invalid(_("Say why: it is written into the record."))
    raise Invalid(faults=faults_of(form))
