"""Addresses of the floor."""

from django.urls import path

from reviewqueue.web.floor import ahead, alerts, deadlines, hours, overload, person, quality, schedule, team, views

app_name = "floor"
urlpatterns = [
    path("", views.index, name="index"),
    path("alerts/", alerts.index, name="alerts"),
    path("alerts/live/", alerts.live, name="alerts_live"),
    path("alerts/<int:alert_id>/", alerts.show, name="alert"),
    path("alerts/<int:alert_id>/items/", alerts.items, name="alert_items"),
    path("alerts/<int:alert_id>/acknowledge/", alerts.acknowledge, name="acknowledge_alert"),
    path("alerts/<int:alert_id>/snooze/", alerts.snooze, name="snooze_alert"),
    path("alerts/<int:alert_id>/diagnose/", alerts.diagnose, name="diagnose_alert"),
    path("alerts/<int:alert_id>/close/", alerts.close, name="close_alert"),
    path("<slug:slug>/", views.show, name="show"),
    path("<slug:slug>/live/", views.live, name="live"),
    path("<slug:slug>/overload/", overload.switch, name="switch_overload"),
    path("<slug:slug>/quality/", quality.show, name="quality"),
    path("<slug:slug>/quality/<int:person_id>/lift/", quality.lift, name="lift_pause"),
    path("<slug:slug>/deadlines/", deadlines.show, name="deadlines"),
    path("<slug:slug>/hours/", hours.show, name="hours"),
    path("<slug:slug>/ahead/", ahead.show, name="ahead"),
    path("<slug:slug>/shifts/", views.enter_shift, name="enter_shift"),
    path("<slug:slug>/shifts/<int:shift_id>/remove/", views.remove_shift, name="remove_shift"),
    path("<slug:slug>/team/", team.show, name="team"),
    path("<slug:slug>/team/live/", team.live, name="team_live"),
    path("<slug:slug>/team/preview/", team.preview, name="preview_handover"),
    path("<slug:slug>/team/handovers/", team.carry_out, name="hand_over"),
    path("<slug:slug>/team/handovers/<int:handover_id>/undo/", team.undo, name="undo_handover"),
    path("<slug:slug>/team/tasks/<int:task_id>/assign/", team.assign, name="assign"),
    path("<slug:slug>/team/tasks/<int:task_id>/give-back/", team.give_back, name="give_back"),
    path("<slug:slug>/people/<int:person_id>/", person.show, name="person"),
    path("<slug:slug>/people/<int:person_id>/skills/", person.skills, name="skills"),
    path("<slug:slug>/people/<int:person_id>/exclusions/", person.exclude, name="exclude"),
    path("<slug:slug>/people/<int:person_id>/exclusions/<int:exclusion_id>/lift/", person.lift, name="lift_exclusion"),
    path("<slug:slug>/schedule/", schedule.show, name="schedule"),
    path("<slug:slug>/schedule/shifts/", schedule.enter_shift, name="enter_named_shift"),
    path("<slug:slug>/schedule/shifts/<int:shift_id>/remove/", schedule.remove_shift, name="remove_named_shift"),
    path("<slug:slug>/schedule/absences/", schedule.enter_absence, name="enter_absence"),
    path("<slug:slug>/schedule/absences/<int:absence_id>/remove/", schedule.remove_absence, name="remove_absence"),
    path("<slug:slug>/pause/", views.pause, name="pause"),
]
