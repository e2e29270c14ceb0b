"""`/docs`: a page on which people read the API and try it. `/` leads there.

It is Swagger UI. The files of its release come with the package `flask-swagger-ui`,
of which nothing else is used.
"""

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from flask import Flask, Response, request

from todo_service import identity
from todo_service.documents.files import File
from todo_service.documents.operations import Answer, Operation

PATH = "/docs"
OURS = files("todo_service.documents") / "page"
SWAGGER_UI = files("flask_swagger_ui") / "dist"
ASSETS: dict[str, tuple[Traversable, str]] = {
    "swagger-ui.css": (SWAGGER_UI, "text/css"),
    "swagger-ui-bundle.js": (SWAGGER_UI, "text/javascript"),
    "favicon-32x32.png": (SWAGGER_UI, "image/png"),
    "page.css": (OURS, "text/css"),
    "page.js": (OURS, "text/javascript"),
}
# The page names its assets with their digests: another content has another address.
FOR_EVER = "public, max-age=31536000, immutable"
# Swagger UI has pictures in its style sheet (data:). The styles that its script sets
# need no unsafe-inline.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
OPERATIONS = {
    "lead_to_page": Operation(
        summary="Lead to the page",
        answers={302: Answer("`Location` is the page's.", headers=("Location",))},
    ),
    "read_page": Operation(
        summary="The page to read and try this API",
        conditional="the page",
        answers={200: Answer("The page.", kind="text/html", headers=("ETag",))},
    ),
    "read_asset": Operation(
        summary="A file of the page",
        conditional="the file",
        answers={200: Answer("The file.", kind="*/*", headers=("ETag",))},
    ),
}


def init_app(app: Flask) -> None:
    """Mount the page and its files, which need no token."""
    paths = [f"{PATH}/{name}" for name in ASSETS]
    identity.open_paths(app, "/", PATH, *paths)
    app.add_url_rule("/", view_func=lead_to_page)
    app.add_url_rule(PATH, view_func=read_page)
    for path in paths:
        app.add_url_rule(path, view_func=read_asset)


def lead_to_page() -> Response:
    """Lead to the page."""
    return Response(status=302, headers={"Location": PATH})


def read_page() -> Response:
    """The page."""
    return _with_headers(_page())


def read_asset() -> Response:
    """A file of the page, by the name at the end of the path."""
    name = request.path.removesuffix("/").rpartition("/")[2]
    return _with_headers(_asset(name))


def _with_headers(file: File) -> Response:
    answer = file.answer()
    answer.headers.extend(HEADERS)
    return answer


@cache
def _asset(name: str) -> File:
    """A file of the page. Only the names in `ASSETS` have routes."""
    folder, kind = ASSETS[name]
    return File((folder / name).read_bytes(), kind, FOR_EVER)


@cache
def _page() -> File:
    """The page, with the addresses of its assets."""

    def address(name: re.Match[str]) -> str:
        return f"{PATH}/{name[1]}?{_asset(name[1]).digest}"

    text = (OURS / "index.html").read_text("utf-8")
    return File(re.sub(r"{([\w.-]+)}", address, text).encode(), "text/html")
