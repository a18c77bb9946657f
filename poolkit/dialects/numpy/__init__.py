"""The words of NumPy: `read` understands them, `native` writes them, `caveats` says where numbers differ."""
