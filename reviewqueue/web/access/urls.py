"""The addresses of rights and members. In each of them the slug may be `-`: the site as a whole."""

from django.urls import path

from reviewqueue.web.access import members, views

app_name = "access"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:slug>/", views.show, name="show"),
    path("<slug:slug>/change/<slug:act>/", views.change, name="change"),
    path("<slug:slug>/change/<slug:act>/propose/", views.propose, name="propose"),
    path("<slug:slug>/roll-back/", views.roll_back, name="roll_back"),
    path("<slug:slug>/versions/<int:no>/", views.version, name="version"),
    path("<slug:slug>/versions/<int:no>/agree/", views.agree, name="agree"),
    path("<slug:slug>/versions/<int:no>/turn-down/", views.turn_down, name="turn_down"),
    path("<slug:slug>/members/", members.show, name="members"),
    path("<slug:slug>/members/add/", members.add, name="add_person"),
    path("<slug:slug>/members/change/", members.change, name="member"),
]
