"""
The HTTP service: BentoML around a small Starlette app around `cdss.assess`.

::

    __main__   one process: BentoML's app in uvicorn
    service    the BentoML service; its only importer
    app        routes and layers put together
    routes     what each address does
    body       a request's bytes → JSON, strictly
    openapi    the contract, from the data dictionary
    observe    outermost layer: access log, metrics, nothing escapes as a traceback
    traffic    time and concurrency limits
    problems   RFC 9457 answers
    logs       JSON lines with an allow-list of keys
    metrics    Prometheus
"""
