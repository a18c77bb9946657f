"""`poolkit port`: pooling calls of source files and model files, written for another framework.

`files` tells the kinds of files apart and writes what they become; `python` ports source, `models` reads model files as
data. `target` says what a spec becomes in a framework, `report` holds a row for each call, `audit` says what every
framework has for it, and `check` runs original and port side by side.
"""
