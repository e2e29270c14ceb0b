"""Timestamps as answers write them: PostgreSQL makes the text."""

from sqlalchemy import ColumnElement, func, literal_column

# Part of the text, because values are sent with every request.
UTC: ColumnElement = literal_column("'UTC'")
RFC_3339: ColumnElement = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")


def rfc3339(moment: ColumnElement) -> ColumnElement:
    """Text in UTC whatever the server's time zone, with all six digits of a fraction.

    Null for infinity, which stands for the end of an order.
    """
    return func.to_char(func.timezone(UTC, moment), RFC_3339)
