from poolkit_conformance import PoolConformance


class TestTorch(PoolConformance):
    backend = "torch"
