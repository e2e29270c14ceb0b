# Defaults of the flask command in a checkout: development. gunicorn reads none of this.
APP_ENV=development
FLASK_RUN_PORT=7860
LOG_FORMAT=text
