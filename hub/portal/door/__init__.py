"""The door: `/api/v1/`, JSON for the bridge of learners' servers and for nbgrader's exchange (docs/reference/door.md).

Laws: a caller is who the Hub says the token belongs to, and has that person's rights, checked here at every call; every
error is `{"code", "message"}` with a French sentence; names and sizes are checked before anything is read or stored.
"""
