"""Accounts are closed: people are made by an administrator, never by signing up."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

from decisions.models import User


class ClosedAccounts(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False


class ClosedSocialAccounts(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """An outside identity opens an existing person's account, matched by verified e-mail, and never makes one."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:  # noqa: ARG002
        return False

    def can_authenticate_by_email(self, login: object, email: str) -> bool:  # noqa: ARG002
        return User.objects.filter(email=email.lower(), is_active=True).exists()
