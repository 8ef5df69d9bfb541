"""The clinician's page: HTML made on the server, of the same answers as the JSON."""

from serving.page.routes import PageApi

__all__ = ["PageApi"]
