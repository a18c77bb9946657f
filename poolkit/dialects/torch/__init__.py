"""The words of PyTorch and timm: `read` understands them, `native` writes them, `caveats` says where numbers differ."""
