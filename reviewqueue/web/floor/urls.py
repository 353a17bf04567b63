"""Addresses of the floor."""

from django.urls import path

from reviewqueue.web.floor import views

app_name = "floor"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:slug>/", views.show, name="show"),
    path("<slug:slug>/live/", views.live, name="live"),
    path("<slug:slug>/shifts/", views.enter_shift, name="enter_shift"),
    path("<slug:slug>/shifts/<int:shift_id>/remove/", views.remove_shift, name="remove_shift"),
    path("<slug:slug>/pause/", views.pause, name="pause"),
]
