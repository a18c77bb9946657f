"""`pk.diff`: what two poolings do differently.

`operands` reads the two sides, `agreeing` finds the sizes at which their windows are the same, `properties` and
`wording` say what differs, `trial` and `pictures` show one cell, `mixes` does the same for `pk.Mix`, and
`difference` is what was found, and its text.
"""
