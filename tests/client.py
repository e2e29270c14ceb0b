"""A client of the service for the tests: a user's token, paths below their tasks."""

from flask.testing import FlaskClient


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
        return super().open(whole, *args, headers=everything, **options)
