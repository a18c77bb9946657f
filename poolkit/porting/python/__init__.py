"""Python source, ported with LibCST: only the pooling calls change, byte for byte.

`source` is the way in. `tree` and `names` know what stands where and which full name it has, `sites` finds the calls,
`rewrite` and `expressions` write them for the target, `imports` and `comments` keep the rest of the file whole, and
`edits` applies it all. An idiom, such as a pool whose axes a Reshape gives back, is a function in the list of `idioms`:
`shapes`, `reshaping` with `restoring`, `sequences` and `remarks` hold them, and `uses` has the flow of values.
"""
