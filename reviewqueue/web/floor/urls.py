"""Addresses of the floor."""

from django.urls import path

from reviewqueue.web.floor import ahead, alerts, deadlines, views

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
    path("<slug:slug>/deadlines/", deadlines.show, name="deadlines"),
    path("<slug:slug>/ahead/", ahead.show, name="ahead"),
    path("<slug:slug>/shifts/", views.enter_shift, name="enter_shift"),
    path("<slug:slug>/shifts/<int:shift_id>/remove/", views.remove_shift, name="remove_shift"),
    path("<slug:slug>/pause/", views.pause, name="pause"),
]
