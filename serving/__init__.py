"""
The HTTP service: BentoML around a small Starlette app around `cdss.assess`.

::

    __main__   one process: BentoML's app in uvicorn
    service    the BentoML service; its only importer
    settings   how it is exposed: who may call, under which address, how often
    app        routes and layers put together
    routes     what each address does
    body       a request's bytes → JSON, strictly
    openapi    the contract, from the data dictionary
    observe    outermost layer: access log, metrics, nothing escapes as a traceback
    traffic    time and concurrency limits
    protocol   limits on what comes before a body
    cors       which pages may call
    security   who may call: the layer that asks for a client
    addresses  what each address needs of a client
    clients    the file of clients; their keys (`jwks`, `apikeys`) and tokens (`jwt`, `tokens`)
    ratelimit  how often
    problems   answers to errors: RFC 9457, OperationOutcome
    logs       JSON lines with an allow-list of keys
    metrics    Prometheus
"""
