"""What every resource needs of HTTP: bodies, queries, paths, headers, the request log.

Nothing here knows a resource or the database.
"""
