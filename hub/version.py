"""The version; a test holds it to the first heading of CHANGELOG.md."""

__version__ = "0.1.0"
