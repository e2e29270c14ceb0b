"""Header fields that are too long for the libraries that parse them count as none.

Flask-CORS and Werkzeug spend a microsecond and more on each character of these, also
without a token, and a server joins repeated fields. Werkzeug's parser of `Accept` is
quadratic in blanks. What is sane has 100 characters.
"""

from flask import Flask, request

LENGTH = 1024
SLOWLY_PARSED = (
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
    "HTTP_TRANSFER_ENCODING",
)


def init_app(app: Flask) -> None:
    """Drop such fields before anything reads them."""
    app.before_request(_drop_long_fields)


def _drop_long_fields() -> None:
    for name in SLOWLY_PARSED:
        if len(request.environ.get(name, "")) > LENGTH:
            del request.environ[name]
