"""
FHIR R4, in and out, as plain dictionaries.

In: `cdss.fhir.read` is lenient, resource by resource; what it could not use, it says. Out: strict.
"""
