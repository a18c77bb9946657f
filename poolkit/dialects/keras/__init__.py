"""The words of Keras: `read` understands them, `native` writes them, `caveats` says where numbers differ."""
