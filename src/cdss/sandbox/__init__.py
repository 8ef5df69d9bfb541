"""
A small EMR that tries a running server, as a vendor's would.

::

    commands   ``cdss sandbox``
    play       all formats, one after the other
    access     whether the server is there, and whom it lets in
    plain      JSON, and the check-up XML that is read here and sent as JSON
    fhir       $assess
    hooks      CDS Hooks: discovery, cards, feedback, refusals
    rules      what a card must be like
    emr        the invented patients, and how the EMR answers queries
    client     HTTP
    signing    tokens of a CDS Hooks client
    report     what was checked, and who has to do something
    show       all of it on a terminal

What it sends is kept by the server like anything else: its audit log and its feedback hold it.
"""
