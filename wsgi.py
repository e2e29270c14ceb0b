"""The WSGI entry point: `gunicorn wsgi:app`, `flask run`."""

from todo_service import create_app

app = create_app()
