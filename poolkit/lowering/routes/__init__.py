"""Ways besides the fold, by primitives that any framework has, and what adapters ask of windows to choose one."""
