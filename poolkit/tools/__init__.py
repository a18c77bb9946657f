"""What looks at poolings: `explain`, `cost`, `bench`, the demonstration, and the report of the conformance suite."""
