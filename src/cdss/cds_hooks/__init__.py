"""
CDS Hooks 2.0.1, a service's side: discovery, requests, cards, feedback, as plain dictionaries.

Nothing here does I/O: `serving.hooks_api` receives, fetches and answers.
"""
