"""What consists of poolings, as a pyramid does, or pools what are no windows, as segments: resolved and lowered."""
