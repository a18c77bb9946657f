"""Python source, ported: only the pooling calls change, byte for byte.

`source` is the way in. `tree` and `names` know what stands where and which full name it has, `sites` finds the calls,
`rewrite` and `expressions` write them for the target, `imports`, `dropping` and `comments` keep the rest of the file
whole, and `edits` applies it all. `doubts`, `references` and `keras_settings` tell of what may pool and is not ported.

An idiom, such as a pool whose axes a Reshape gives back, is a function in the list of `idioms`: `shapes`, `reshaping`
with `restoring` and `batches`, `pairs`, `sequences` and `remarks` hold them. `flow` goes through the file once and
knows which value a name has where it stands; `values` says what an expression is by that: a literal, a size, several or
one of them, arithmetic. `sized` ports the windows that are, `choices` what has two cases, and `uses`, `traces` and
`unknowns` ask the rest.
"""
