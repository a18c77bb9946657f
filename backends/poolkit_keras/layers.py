"""Pooling as Keras layers: `Pool` for any spec, and classes with the names and arguments of Keras's own layers.

They pool tensors of whatever engine Keras runs on. A float keeps its dtype, also under a mixed precision policy; with
`dtype=` given, inputs are cast to it, as Keras's layers do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import keras

from poolkit.errors import SpecError
from poolkit.running.further import taken
from poolkit.running.layers import Named, pool_through
from poolkit.spec.arguments import as_route
from poolkit.spec.dtypes import FLOATS, result_dtype
from poolkit.spec.fields import Sizes
from poolkit.spec.foreign import NAMES
from poolkit.spec.messages import shown, wrong
from poolkit.spec.operation import Operation, as_spec, operation_from_dict
from poolkit.spec.signatures import explained_class
from poolkit.spec.vocabulary import SYMBOLIC
from poolkit_keras.ops import Ops

Shape = Sequence[int | None]


@keras.saving.register_keras_serializable(package="poolkit")
@explained_class
class Pool(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """A layer that pools by a spec; `route` asks for one of `poolkit.routes` of the engine's tensors.

    >>> from poolkit import MaxPool
    >>> Pool(MaxPool(2, layout="NHWC")).compute_output_shape((None, 8, 8, 3))
    (None, 4, 4, 3)
    """

    def __new__(cls, *args: Any, **named: Any) -> Self:
        try:
            made: Self = super().__new__(cls, *args, **named)
        except Exception as error:  # Keras walks through all arguments, however deep
            raise _refused(named, error) from error
        return made

    def __init__(self, spec: Operation, *, route: str | None = None, **options: Any) -> None:
        as_spec(spec, "a layer takes (spec, route)")
        if not isinstance(options.get("name", ""), str | None):  # Keras would write all of it into its own error
            raise wrong(f"name={shown(options['name'])}", "the name of a layer is a text", 'write name="pool"')
        try:
            super().__init__(**{"autocast": options.get("dtype") is not None} | options)
        except Exception as error:  # an option that Keras does not know, or its value
            raise _refused(options, error) from error
        self.spec = spec
        self.route = as_route(route)
        self.built = True
        self.supports_masking = "mask" in spec.takes

    def call(
        self, inputs: Any, mask: Any = None, weight: Any = None, *, inputs_mask: Any = None, **tensors: Any
    ) -> Any:
        """`tensors` are the others that the spec takes, as ``log_weight=`` or a learned ``p=``.

        A mask that comes with the inputs, as an Embedding's does, counts where none is given. Keras hands it on as
        `mask` where the inputs are the only tensor, and as `inputs_mask` where there are more.
        """
        tensors = {"mask": inputs_mask if mask is None else mask, "weight": weight, **tensors}
        return pool_through(inputs, self.spec, self.route, **{k: t for k, t in tensors.items() if t is not None})

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """The result has none."""

    def compute_output_spec(
        self, inputs: Any, mask: Any = None, weight: Any = None, *, inputs_mask: Any = None, **tensors: Any
    ) -> Any:
        """A KerasTensor; a pair of them with `indices=True`, one for each level of a pyramid."""
        taken(self.spec, {name: t for name, t in {"weight": weight, **tensors}.items() if t is not None})
        dtype = self.compute_dtype if self.autocast and inputs.dtype in FLOATS else inputs.dtype
        self.spec.work_dtype(dtype, lambda integer: integer)  # a DtypeError for complex numbers
        shapes, dtype = self.spec.output_shapes(inputs.shape), result_dtype(self.spec, dtype)
        indices = [keras.KerasTensor(shapes[0], Ops(len(shapes[0]), dtype).index)] * self.spec.indices
        made = (*[keras.KerasTensor(shape, dtype) for shape in shapes], *indices)
        return made if self.spec.several else made[0]

    def compute_output_shape(self, input_shape: Shape) -> Any:
        shapes = self.spec.output_shapes(tuple(input_shape)) * (1 + self.spec.indices)
        return shapes if self.spec.several else shapes[0]

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        # Keras writes down a dtype policy in any case, and that must not turn the cast on.
        cast = {} if self.autocast else {"autocast": False}
        return config | {"spec": self.spec.to_dict(), "route": self.route} | cast

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Pool:
        given = _named(config)
        return cls(operation_from_dict(given.pop("spec", None)), **given)


def _refused(options: Mapping[str, Any], error: Exception) -> SpecError:
    given = ", ".join(f"{name}={shown(value)}" for name, value in options.items())
    return wrong(given, f"Keras says of the options of a layer: {error}", "leave out what is wrong")


def _named(config: object) -> dict[str, Any]:
    """A config as the arguments that it holds."""
    if isinstance(config, Mapping) and all(isinstance(name, str) for name in config):
        return {**config}
    rule = "the config of a layer is a dictionary of its arguments"
    raise wrong(f"the config {shown(config)}", rule, "give what get_config() returned")


def _layout(spatial: str, data_format: str | None, layout: str | None) -> str:
    """The layout's letters for Keras's `data_format`, of which None is the one in keras.json."""
    if layout is not None and data_format is not None:
        received = f"data_format={shown(data_format)} and layout={shown(layout)}"
        raise wrong(received, "the two say the same", "give one of them")
    if layout is not None:
        return layout
    data_format = keras.config.image_data_format() if data_format is None else data_format
    if not isinstance(data_format, str) or data_format not in SYMBOLIC:
        rule = "data_format says where the channels stand"
        raise wrong(f"data_format={shown(data_format)}", rule, 'write "channels_last" or "channels_first"')
    return f"NC{spatial}" if data_format == "channels_first" else f"N{spatial}C"


class _Own(Named, Pool):
    """A layer whose constructor is that of a Keras layer; its config holds those arguments."""

    masks: ClassVar[bool] = False
    always: ClassVar[Mapping[str, Any]] = {}  # fields of the spec that no argument says

    def __init_subclass__(cls, **facts: object) -> None:
        super().__init_subclass__(**facts)
        if facts:
            keras.saving.register_keras_serializable(package="poolkit")(cls)

    def _pools(self, data_format: str | None, layout: str | None, options: dict[str, Any], **given: Any) -> None:
        layout = _layout(self.spatial, data_format, layout)
        fields = {NAMES.get(name, name): value for name, value in given.items()}
        Pool.__init__(self, self.spec_of(layout, **{**self.always, **fields}), **options)
        self.supports_masking = self.masks
        self._arguments = {**given, "layout": layout}

    # Keras hands a mask to every layer whose `call` has the word, and most of its own pools have not.
    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().call(inputs)

    def compute_output_spec(self, inputs: Any) -> Any:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().compute_output_spec(inputs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["spec"]
        return config | self._arguments

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Pool:
        return cls(**_named(config))


@explained_class
class _Window(_Own):
    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        *,
        layout: str | None = None,
        **options: Any,
    ) -> None:
        given = {"pool_size": pool_size, "strides": strides, "padding": padding}
        self._pools(data_format, layout, {"name": name, **options}, **given)


@explained_class
class _Global(_Own):
    always: ClassVar[Mapping[str, Any]] = {"output_size": 1}

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, *, layout: str | None = None, **options: Any
    ) -> None:
        self._pools(data_format, layout, options, keepdims=keepdims)


@explained_class
class _Adaptive(_Own):
    def __init__(
        self,
        output_size: int | Sequence[int | None],
        data_format: str | None = None,
        *,
        layout: str | None = None,
        **options: Any,
    ) -> None:
        self._pools(data_format, layout, options, output_size=output_size)


class MaxPooling1D(_Window, kind="max", spatial="L"):
    """`keras.layers.MaxPooling1D`."""


class MaxPooling2D(_Window, kind="max", spatial="HW"):
    """`keras.layers.MaxPooling2D`.

    >>> MaxPooling2D(2, data_format="channels_last").compute_output_shape((None, 8, 8, 3))
    (None, 4, 4, 3)
    """


class MaxPooling3D(_Window, kind="max", spatial="DHW"):
    """`keras.layers.MaxPooling3D`."""


class AveragePooling1D(_Window, kind="avg", spatial="L"):
    """`keras.layers.AveragePooling1D`."""


class AveragePooling2D(_Window, kind="avg", spatial="HW"):
    """`keras.layers.AveragePooling2D`.

    >>> AveragePooling2D(2, data_format="channels_last").compute_output_shape((None, 8, 8, 3))
    (None, 4, 4, 3)
    """


class AveragePooling3D(_Window, kind="avg", spatial="DHW"):
    """`keras.layers.AveragePooling3D`."""


class GlobalAveragePooling1D(_Global, kind="avg", spatial="L", masks=True):
    """`keras.layers.GlobalAveragePooling1D`, masks included; where no step is real it gives 0, and Keras's own NaN."""

    call = Pool.call
    compute_output_spec = Pool.compute_output_spec


class GlobalAveragePooling2D(_Global, kind="avg", spatial="HW"):
    """`keras.layers.GlobalAveragePooling2D`.

    >>> GlobalAveragePooling2D(data_format="channels_last").compute_output_shape((None, 8, 8, 3))
    (None, 3)
    """


class GlobalAveragePooling3D(_Global, kind="avg", spatial="DHW"):
    """`keras.layers.GlobalAveragePooling3D`."""


class GlobalMaxPooling1D(_Global, kind="max", spatial="L"):
    """`keras.layers.GlobalMaxPooling1D`."""


class GlobalMaxPooling2D(_Global, kind="max", spatial="HW"):
    """`keras.layers.GlobalMaxPooling2D`.

    >>> GlobalMaxPooling2D(data_format="channels_last").compute_output_shape((None, 8, 8, 3))
    (None, 3)
    """


class GlobalMaxPooling3D(_Global, kind="max", spatial="DHW"):
    """`keras.layers.GlobalMaxPooling3D`."""


class AdaptiveAveragePooling1D(_Adaptive, kind="avg", spatial="L"):
    """`keras.layers.AdaptiveAveragePooling1D`."""


class AdaptiveAveragePooling2D(_Adaptive, kind="avg", spatial="HW"):
    """`keras.layers.AdaptiveAveragePooling2D`.

    >>> AdaptiveAveragePooling2D(4, data_format="channels_last").compute_output_shape((None, 8, 8, 3))
    (None, 4, 4, 3)
    """


class AdaptiveAveragePooling3D(_Adaptive, kind="avg", spatial="DHW"):
    """`keras.layers.AdaptiveAveragePooling3D`."""


class AdaptiveMaxPooling1D(_Adaptive, kind="max", spatial="L"):
    """`keras.layers.AdaptiveMaxPooling1D`."""


class AdaptiveMaxPooling2D(_Adaptive, kind="max", spatial="HW"):
    """`keras.layers.AdaptiveMaxPooling2D`.

    >>> AdaptiveMaxPooling2D(4, data_format="channels_last").compute_output_shape((None, 8, 8, 3))
    (None, 4, 4, 3)
    """


class AdaptiveMaxPooling3D(_Adaptive, kind="max", spatial="DHW"):
    """`keras.layers.AdaptiveMaxPooling3D`."""
