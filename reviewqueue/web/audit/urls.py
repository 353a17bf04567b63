"""Addresses of the auditor's desk."""

from django.urls import path

from reviewqueue.web.audit import appeals, gold, inventory, second, views

app_name = "audit"
urlpatterns = [
    path("", views.index, name="index"),
    path("inventory/", inventory.show, name="inventory"),
    path("inventory/csv/", inventory.table, name="inventory_table"),
    path("<slug:slug>/", views.show, name="show"),
    path("<slug:slug>/export/", views.export, name="export"),
    path("<slug:slug>/verify/", views.verify, name="verify"),
    path("<slug:slug>/items/<int:item_id>/", views.item, name="item"),
    path("<slug:slug>/items/<int:item_id>/override/", views.override, name="override"),
    path("<slug:slug>/items/<int:item_id>/gold/", gold.mark, name="mark_gold"),
    path("<slug:slug>/items/<int:item_id>/gold/retire/", gold.retire, name="retire_gold"),
    path("<slug:slug>/appeals/", appeals.show, name="appeals"),
    path("<slug:slug>/items/<int:item_id>/appeal/", appeals.file, name="appeal"),
    path("<slug:slug>/overrides/", second.show, name="overrides"),
    path("<slug:slug>/overrides/<int:pending_id>/confirm/", second.confirm, name="confirm"),
    path("<slug:slug>/overrides/<int:pending_id>/turn-down/", second.turn_down, name="turn_down"),
    path("<slug:slug>/actions/", views.actions, name="actions"),
    path("<slug:slug>/actions/replay/", views.replay, name="replay"),
]
