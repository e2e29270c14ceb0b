"""The floor: what Flask and gunicorn cost, with a view that returns a constant."""

import os

from flask import Flask

from todo_service import database
from todo_service.settings import load

app = Flask(__name__, static_folder=None)

# The service's gunicorn.conf.py makes a connection in each worker; no request uses it.
database.init_app(app, load(os.environ))


@app.get("/floor")
def floor() -> str:
    """A constant."""
    return "A constant."
