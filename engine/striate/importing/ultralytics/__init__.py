"""Models described as YAML in the style of Ultralytics, read as networks of the language.

What a module is made of follows from the papers, the exported networks and the published parameter counts of the
models; no source of that project was read or copied.
"""
