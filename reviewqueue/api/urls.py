"""The addresses of the API and of operation."""

from django.urls import include, path, re_path, register_converter

from reviewqueue.api import (
    actions,
    alerts,
    colleagues,
    deadlines,
    forecast,
    frames,
    gold,
    hours,
    inventory,
    items,
    known,
    labels,
    life,
    lists,
    measured,
    metrics,
    ops,
    overload,
    policies,
    problems,
    queues,
    rights,
    schema,
    second,
    segments,
    team,
    what_if,
    work,
)


class IdConverter:
    """The id of a row: what fits the database's 64 bits."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(IdConverter, "id")

v1 = [
    path("queues/", queues.Mine.as_view()),
    path("queues/<slug:queue>/items/", items.One.as_view()),
    path("queues/<slug:queue>/items/batch/", items.Many.as_view()),
    path("queues/<slug:queue>/claim/", work.Claim.as_view()),
    path("queues/<slug:queue>/status/", queues.Status.as_view()),
    path("queues/<slug:queue>/deadlines/", deadlines.Deadlines.as_view()),
    path("queues/<slug:queue>/hours/", hours.Hours.as_view()),
    path("queues/<slug:queue>/forecast/", forecast.Forecast.as_view()),
    path("queues/<slug:queue>/overload/", overload.Overload.as_view()),
    path("queues/<slug:queue>/overload/switch/", overload.Switch.as_view()),
    path("queues/<slug:queue>/operating-point/", measured.Measured.as_view()),
    path("queues/<slug:queue>/what-if/", what_if.WhatIf.as_view()),
    path("queues/<slug:queue>/advice/", what_if.Advice.as_view()),
    path("queues/<slug:queue>/known/", known.Known.as_view()),
    path("queues/<slug:queue>/segments/", segments.Segments.as_view()),
    path("queues/<slug:queue>/fairness/", segments.Fairness.as_view()),
    path("inventory/", inventory.Inventory.as_view()),
    path("queues/<slug:queue>/frames/", frames.Frames.as_view()),
    path("queues/<slug:queue>/frames/close/", frames.Close.as_view()),
    path("queues/<slug:queue>/gold/", gold.GoldItems.as_view()),
    path("queues/<slug:queue>/policies/", policies.Policies.as_view()),
    path("queues/<slug:queue>/policies/drafts/", policies.Drafts.as_view()),
    path("queues/<slug:queue>/policies/<id:no>/approve/", policies.Approve.as_view()),
    path("queues/<slug:queue>/policies/<id:no>/withdraw/", policies.Withdraw.as_view()),
    path("queues/<slug:queue>/policies/<id:no>/canary/", policies.StartCanary.as_view()),
    path("queues/<slug:queue>/policies/<id:no>/stop/", policies.StopCanary.as_view()),
    path("queues/<slug:queue>/policies/<id:no>/publish/", policies.Publish.as_view()),
    path("queues/<slug:queue>/policies/roll-back/", policies.RollBack.as_view()),
    path("queues/<slug:queue>/canary/", policies.Canary.as_view()),
    path("rights/<slug:queue>/", rights.Rights.as_view()),
    path("rights/<slug:queue>/versions/", rights.Versions.as_view()),
    path("rights/<slug:queue>/preview/", rights.Preview.as_view()),
    path("rights/<slug:queue>/propose/", rights.Propose.as_view()),
    path("rights/<slug:queue>/roll-back/", rights.RollBack.as_view()),
    path("rights/<slug:queue>/versions/<id:no>/agree/", rights.Agree.as_view()),
    path("rights/<slug:queue>/versions/<id:no>/turn-down/", rights.TurnDown.as_view()),
    path("members/<slug:queue>/", rights.Members.as_view()),
    path("members/<slug:queue>/change/", rights.ChangeMember.as_view()),
    path("items/<id:item>/", life.ItemLife.as_view()),
    path("items/<id:item>/override/", work.Override.as_view()),
    path("items/<id:item>/gold/", gold.Mark.as_view()),
    path("items/<id:item>/gold/retire/", gold.RetireGold.as_view()),
    path("tasks/<id:task>/decide/", work.Decide.as_view()),
    path("tasks/<id:task>/release/", work.Release.as_view()),
    path("tasks/<id:task>/skip/", work.Skip.as_view()),
    path("tasks/<id:task>/extend/", work.Extend.as_view()),
    path("tasks/<id:task>/escalate/", work.Escalate.as_view()),
    path("tasks/<id:task>/hold/", work.Hold.as_view()),
    path("tasks/<id:task>/assign/", team.Assign.as_view()),
    path("tasks/<id:task>/give-back/", team.GiveBack.as_view()),
    path("queues/<slug:queue>/team/", team.Team.as_view()),
    path("queues/<slug:queue>/team/<id:person>/", colleagues.One.as_view()),
    path("queues/<slug:queue>/team/<id:person>/skills/", colleagues.SetSkills.as_view()),
    path("queues/<slug:queue>/team/<id:person>/exclusions/", colleagues.Exclude.as_view()),
    path("exclusions/<id:exclusion>/lift/", colleagues.Lift.as_view()),
    path("queues/<slug:queue>/me/", colleagues.Own.as_view()),
    path("queues/<slug:queue>/me/opt-outs/", colleagues.OptOut.as_view()),
    path("queues/<slug:queue>/handovers/", team.Carry.as_view()),
    path("queues/<slug:queue>/handovers/preview/", team.Preview.as_view()),
    path("handovers/<id:handover_id>/undo/", team.Undo.as_view()),
    path("overrides/", second.Overrides.as_view()),
    path("overrides/<id:pending>/confirm/", second.Confirm.as_view()),
    path("overrides/<id:pending>/turn-down/", second.TurnDown.as_view()),
    path("decisions/", lists.Decisions.as_view()),
    path("decisions/<id:decision>/undo/", work.Undo.as_view()),
    path("rulings/", lists.Rulings.as_view()),
    path("events/", lists.Events.as_view()),
    path("labels/", labels.Labels.as_view()),
    path("actions/", actions.Actions.as_view()),
    path("actions/<id:action>/result/", actions.Result.as_view()),
    path("alerts/", alerts.Alerts.as_view()),
    path("alerts/<id:alert>/", alerts.One.as_view()),
    path("alerts/<id:alert>/acknowledge/", alerts.Acknowledge.as_view()),
    path("alerts/<id:alert>/snooze/", alerts.Snooze.as_view()),
    path("alerts/<id:alert>/diagnose/", alerts.Diagnose.as_view()),
    path("alerts/<id:alert>/close/", alerts.Close.as_view()),
]

urlpatterns = [
    path("api/v1/", include(v1)),
    path("api/schema/", schema.SchemaView.as_view(), name="schema"),
    path("api/docs/", schema.DocsView.as_view(), name="docs"),
    re_path("^api/", problems.nowhere),
    path("livez", ops.Live.as_view(), name="livez"),
    path("readyz", ops.Ready.as_view(), name="readyz"),
    path("metrics", metrics.Metrics.as_view(), name="metrics"),
]
