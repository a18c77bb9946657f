"""From a spec and the sizes of an input to plain calls.

`geometry` computes windows, `plan` puts a spec and its windows together, and `lower` turns a plan into calls: by a
route of an adapter, or by `fold`, which runs a kind of `kinds` over any windows, with the divisors of `count`.
`backend` says what an adapter gives, and `operators` says primitives by others.
"""
