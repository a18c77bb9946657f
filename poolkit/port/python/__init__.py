"""Python source, ported: only the pooling calls change, byte for byte.

`source` is the way in. `tree` and `names` know what stands where and which full name it has, `sites` finds the calls,
`rewrite` and `expressions` write them for the target, `imports`, `dropping` and `comments` keep the rest of the file
whole, and `edits` applies it all. `doubts`, `references` and `unread` tell of what may pool and is not ported.

What belongs to a pool, such as a Reshape that gives its axes back, is a rule: a module of `rules`, which `recognise`
has in their order. `flow` goes through the file once and knows which value a name has where it stands; `evaluated` says
by that what an expression is: one of `values`, a literal, a size, several or one of them, arithmetic. Rules ask there
what windows, axes and options are. `tensors` says which tensor an expression is, and `uses` where one is used.
"""
