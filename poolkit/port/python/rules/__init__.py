"""Patterns of several calls that are one pool, and what belongs to a pool: a rule each.

`tests/port/rules` has a folder for each, which is its test and shows what it does: `before.py`, `after_torch.py` and
`after_keras.py`. They are not here since a package ships no tests, and imports no framework.
"""
