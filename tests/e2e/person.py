"""People with an account at a Better Auth server."""

import secrets
from http.cookies import SimpleCookie

from tests.e2e.client import Client
from tests.e2e.servers import BetterAuth


class Person:
    """Signs up, signs in, and gets tokens."""

    def __init__(self, issuer: BetterAuth):
        account = {
            "name": "Somebody",
            "email": f"{secrets.token_hex(8)}@example.com",
            "password": "correct horse battery staple",
        }
        self._base = issuer.base
        anyone = Client(self._base)
        anyone.post("/sign-up/email", account)
        self.signed_in = anyone.post("/sign-in/email", account)
        self.id: str = self.signed_in.json["user"]["id"]
        self.session_token: str = self.signed_in.json["token"]

    def token(self) -> str:
        """A fresh JWT, as the front end gets it for the API."""
        session = Client(self._base, token=self.session_token)
        return session.get("/token").json["token"]

    def tasks(self, service: str) -> Client:
        """This person's tasks at a service, with a fresh token."""
        return Client(f"{service}/api/{self.id}/tasks", token=self.token())

    def cookie(self, name: str) -> str:
        """A cookie that the browser got at sign-in."""
        cookies = SimpleCookie()
        for header in self.signed_in.headers.get_all("Set-Cookie", []):
            cookies.load(header)
        return cookies[f"better-auth.{name}"].value
