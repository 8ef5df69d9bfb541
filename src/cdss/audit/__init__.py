"""
What was assessed, when, by which models, for whom: a log nobody can change unseen; and replay.

::

    exact      a record and an answer in JSON that loses nothing
    keys       the site's secret keys: keyed hashes, and sealing what is kept
    identity   which model, which code, as digests
    entry      what the log says about one assessment; no value of a patient
    chain      each entry bound to the one before it
    store      append, look up, forget; in `sqlite` or `postgres`
    export     the log as JSON lines or as FHIR AuditEvents
    replay     the same record, the same models: the same answer
    commands   ``cdss audit`` and ``cdss replay``

A record with few values can be guessed and tried, so that a bare hash of it would tell it: hashes
of what a patient's values went into are keyed (HMAC-SHA256) and bound to the assessment's id.
What binds the entries together is a plain SHA-256, so that whoever has the log can check it.
"""
