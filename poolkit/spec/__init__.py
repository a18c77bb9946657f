"""What is declared, without a framework and without an input.

`facts` says what each kind of pooling is, `pool_spec` and `mix` are what a user declares, `operation` what the two have
in common, and `constructors` their short names. `validate` brings values into one form, by the rules of `values`,
`text` writes and reads a spec, and `foreign`, `arguments`, `signatures` and `messages` answer what is wrong in a call.
"""
