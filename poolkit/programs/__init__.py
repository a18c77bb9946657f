"""`recorder` writes down the calls that a lowering makes, and `program` makes source and a function of them."""
