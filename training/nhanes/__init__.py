"""
The public files of US NHANES: fetched from CDC, and made into the analysis table.

``cycles.toml`` names every file and variable, with where each name is known from; `download`
fetches, `derive` recodes, `table` joins the two. Checked against CDC's own files for one cycle
only, 2013-2014, without the questionnaires on diabetes and medical conditions, fasting glucose,
insulin, fasting hours and mortality: what those and the other cycles call things comes from CDC's
codebooks, from public code that reads the files, and from general knowledge, as ``cycles.toml``
says for each.
"""
