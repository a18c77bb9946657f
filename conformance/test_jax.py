from poolkit_conformance import PoolConformance


class TestJax(PoolConformance):
    backend = "jax"
