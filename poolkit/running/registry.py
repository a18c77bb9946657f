"""Which backend a tensor belongs to, and which backends there are.

First-party adapters are the table `FIRST_PARTY`; others come through the entry-point group ``poolkit.backends``, whose
entries name a `ThirdParty` object, which says what tensors are its own: the entry's name is the backend's, and neither
its package nor the module of its tensors has to be called so. An adapter of the table is imported when a tensor of its
framework is met, which is when the framework is imported already; the others when a tensor is none of the table's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from poolkit.errors import BackendError, InputError
from poolkit.running.keras_engine import not_installed
from poolkit.spec.messages import shown, type_of

if TYPE_CHECKING:
    from poolkit.lowering.backend import Adapter, ThirdParty

GROUP = "poolkit.backends"


# Static imports in functions, not importlib: TorchDynamo traces a first use inside a compiled function, and can follow
# only these.
def _numpy() -> Adapter:
    from poolkit_numpy.adapter import ADAPTER

    return ADAPTER


def _torch() -> Adapter:
    from poolkit_torch.adapter import ADAPTER

    return ADAPTER


def _tensorflow() -> Adapter:
    from poolkit_tensorflow.adapter import ADAPTER

    return ADAPTER


def _keras() -> Adapter:
    from poolkit_keras.adapter import ADAPTER

    return ADAPTER


def _jax() -> Adapter:
    from poolkit_jax.adapter import ADAPTER

    return ADAPTER


@dataclasses.dataclass(frozen=True)
class Backend:
    """A row of the table: all that is said of a backend by name."""

    name: str
    title: str
    package: str  # which holds its adapter and conformance
    load: Callable[[], Adapter]
    roots: tuple[str, ...]  # first names of the modules in which its tensor types are defined; of none from outside
    install: str
    layer: str = ""  # the class of its layers, where they have one in common
    everywhere: bool = False  # every program has its arrays, whatever its framework

    @property
    def framework(self) -> str | None:
        """The module that its tensors need, where it is installed; a backend from outside is asked for its name."""
        try:
            name = self.roots[0] if self.roots else cast("ThirdParty", self.load()).framework
        except ImportError:
            return None
        return name if importlib.util.find_spec(name) is not None else None


FIRST_PARTY = (
    Backend("numpy", "NumPy", "poolkit_numpy", _numpy, ("numpy",), "pip install numpy", everywhere=True),
    Backend("torch", "PyTorch", "poolkit_torch", _torch, ("torch",), "pip install torch", "torch.nn.Module"),
    Backend("tensorflow", "TensorFlow", "poolkit_tensorflow", _tensorflow, ("tensorflow",), "pip install tensorflow"),
    Backend("keras", "Keras", "poolkit_keras", _keras, ("keras",), "pip install keras", "keras.Layer"),
    Backend("jax", "JAX", "poolkit_jax", _jax, ("jax", "jaxlib"), "pip install jax"),
)

EVERYWHERE = tuple(row.name for row in FIRST_PARTY if row.everywhere)
DEFINITION = "numpy"  # runs everywhere and sums pairwise: what others are held against where a result is shown

BY_TYPE: dict[Any, Any] = {}  # tensor type -> adapter; filled by eager calls only


def met(x: Any) -> Adapter:
    """The adapter of a tensor, in one look-up where one of its type was pooled before."""
    return BY_TYPE.get(type(x)) or find(x)


def find(x: Any) -> Adapter:
    """The adapter of a tensor, by the classes that its type inherits from; writes nothing, so it can be traced."""
    if type(x) in (list, tuple, dict, int, float, bool, type(None)):  # Dynamo cannot follow a search for packages
        raise _no_tensor(x, FIRST_PARTY, ", or of what `poolkit backends` lists besides")
    for cls in type(x).__mro__:
        root = cls.__module__.split(".")[0]
        for backend in FIRST_PARTY:
            if root in backend.roots:
                return backend.load()
    for backend in _third_party():
        with contextlib.suppress(ImportError):  # its framework is absent, so this is none of its tensors
            serving = cast("ThirdParty", backend.load()).serves(x)
            if serving is not None:
                return serving
    raise _no_tensor(x, (*FIRST_PARTY, *_third_party()))


def _no_tensor(x: object, rows: Sequence[Backend], others: str = "") -> InputError:
    return InputError(
        f"received {type_of(x)}, and pooling takes a tensor of one of: {', '.join([b.name for b in rows])}{others}; "
        "convert it first, as in numpy.asarray(x)"
    )


def all_names() -> list[str]:
    return [b.name for b in (*FIRST_PARTY, *_third_party())]


def _third_party() -> list[Backend]:
    import importlib.metadata  # 25 ms, where importing poolkit takes 40

    return [
        Backend(entry.name, entry.name, package, entry.load, (), f"pip install {package.split('.')[0]}")
        for entry in importlib.metadata.entry_points(group=GROUP)
        for package in [entry.module.rpartition(".")[0] or entry.module]
    ]


def adapter(name: object) -> Adapter:
    """The adapter of a backend by name; `BackendError` where there is none or its framework is not installed."""
    return _loaded(row(name))


def row(name: object) -> Backend:
    """The row of a backend; `BackendError` where there is none of this name."""
    # Those from outside come last and apart: looking for them takes 7 ms, and no compiler follows it.
    for backends in (lambda: FIRST_PARTY, _third_party) if isinstance(name, str) else ():
        for backend in backends():
            if backend.name == name:
                return backend
    raise BackendError(
        f"received the backend {shown(name)}, and the known backends are {', '.join(all_names())}; "
        "use one of them, or install a package that provides it"
    )


def _loaded(backend: Backend) -> Adapter:
    try:
        return backend.load()
    except (ImportError, ValueError) as error:  # the second is Keras's for an engine of which it knows nothing
        absent = not_installed(backend.name, error)
        if absent:
            raise BackendError(absent) from error
        if isinstance(error, ValueError):
            raise
        raise BackendError(
            f"the backend {backend.name} needs a framework that is not installed here ({error}); run: {backend.install}"
        ) from error


def backends() -> list[str]:
    """The names of the backends whose framework is installed, without importing any of poolkit's own.

    >>> "numpy" in backends()
    True
    """
    return [b.name for b in (*FIRST_PARTY, *_third_party()) if b.framework is not None]


class Facts(NamedTuple):
    """A known backend, the installed version of its framework if there is one, and how it is installed."""

    name: str
    version: str | None
    install: str


def facts() -> list[Facts]:
    """All known backends, without importing any framework of poolkit's own.

    >>> facts()[0].name
    'numpy'
    """
    return [Facts(b.name, _version(b.framework), b.install) for b in (*FIRST_PARTY, *_third_party())]


def _version(module: str | None) -> str | None:
    if module is None:
        return None
    import importlib.metadata

    names = importlib.metadata.packages_distributions().get(module, [module])
    try:
        return importlib.metadata.version(names[0])
    except importlib.metadata.PackageNotFoundError:
        return "unknown version"
