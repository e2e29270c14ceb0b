"""A client of the service for the tests: a user's token, paths below their tasks.

Every answer that it gets has to be one that the OpenAPI document announces.
"""

from flask.testing import FlaskClient

from tests import announced


class Client(FlaskClient):
    """`client.get("")` lists the user's tasks; a path with a slash first is whole."""

    def __init__(self, app, *, user_id: str | None = None, token: str | None = None):
        super().__init__(app, app.response_class)
        self.tasks = f"/api/{user_id}/tasks"
        self.token = token

    def open(self, path="", *args, headers=(), **options):
        """Send a request, with the token unless the headers bring another."""
        everything = dict(headers)
        if self.token:
            everything.setdefault("Authorization", f"Bearer {self.token}")
        whole = path if path.startswith("/") else f"{self.tasks}/{path}".rstrip("/")
        answer = super().open(whole, *args, headers=everything, **options)
        differences = announced.differences(self.application, answer)
        if differences:
            raise AssertionError("; ".join(differences))
        return answer
