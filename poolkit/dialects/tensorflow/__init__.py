"""The words of TensorFlow: `read` understands them, `native` writes them, `caveats` says where numbers differ."""
