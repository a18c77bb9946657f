"""Python source, ported: only the pooling calls change, byte for byte.

`source` is the way in. `tree` and `names` know what stands where and which full name it has, `sites` finds the calls,
`rewrite` and `expressions` write them for the target, `imports`, `dropping` and `comments` keep the rest of the file
whole, and `edits` applies it all. `doubts`, `references` and `keras_settings` tell of what may pool and is not ported.

An idiom, such as a pool whose axes a Reshape gives back, is a function in the list of `idioms`: `shapes`, `reshaping`
with `restoring`, `pairs`, `sequences` and `remarks` hold them. `flow` goes through the file once and knows which value
a name has where it stands; `evaluated` says by that what an expression is: one of `values`, a literal, a size, several
or one of them, arithmetic. What windows, axes and options are is asked there: by `shapes` and `sized`, by `unknowns`,
and by `choices` for what has two cases. `tensors` says which tensor an expression is, and `uses` where one is used.
"""
