from poolkit_conformance import PoolConformance


class TestNumpy(PoolConformance):
    backend = "numpy"
