"""From a spec and the sizes of an input to plain calls.

`geometry` computes windows, `plan` puts a spec and its windows together, and `lower` turns a plan into calls: by a
route of an adapter, or by `fold`, which runs a kind of `kinds/` over any windows, with the divisors of `count`.
What consists of poolings, or is none of windows, is in `operations/`; ways besides the fold that any framework may
take are in `routes/`. `backend` and `primitives` say what an adapter gives, `operators` primitives by others.
"""
