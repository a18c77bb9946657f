"""The words of JAX: `read` understands them, `native` writes them, `caveats` says where numbers differ."""
