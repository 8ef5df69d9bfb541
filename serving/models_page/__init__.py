"""The page of the models, for the data scientist: what is served, on what evidence, from where."""

from serving.models_page.routes import ModelsApi

__all__ = ["ModelsApi"]
