"""The settings of plug-ins: a block for each one that has any, under its own name."""

from typing import Any, ClassVar, TypeVar

from pydantic import create_model, model_validator

from pav.models.errors import InputError
from pav.models.plugins import load_plugin, plugin_points
from pav.models.settings.base import Settings

Block = TypeVar("Block", bound=Settings)


class PluginBlocks(Settings):
    """Settings of plug-ins."""

    # Raised when settings are read and not when pav is imported, so that it is one message.
    fault: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _check_plugins(cls, values: Any) -> Any:
        if cls.fault:
            raise InputError(cls.fault)
        return values

    def of(self, kind: type[Block]) -> Block:
        """Return the block of a plug-in by its class; InputError where it is not installed."""
        for name in type(self).model_fields:
            block = getattr(self, name)
            if isinstance(block, kind):
                return block
        raise InputError(
            f"plugins: expected an entry point of the group pav.settings for {kind.__name__}, "
            f"got {sorted(type(self).model_fields)}; add it to the plug-in's pyproject.toml"
        )


def _block_of(name: str) -> type[Settings]:
    block = load_plugin("settings", name)
    if not (isinstance(block, type) and issubclass(block, Settings)):
        raise InputError(
            f"plug-in {name!r} (pav.settings): expected a subclass of "
            f"pav.models.settings.base.Settings, got {block!r}"
        )
    return block


def plugin_blocks() -> type[PluginBlocks]:
    """Return the block of all installed plug-ins' blocks, each with its defaults."""
    fields: dict[str, Any] = {}
    fault = ""
    try:
        blocks = {name: _block_of(name) for name in plugin_points("settings")}
        fields = {name: (block, block()) for name, block in blocks.items()}
    except InputError as error:
        fault = str(error)
    made = create_model("PluginSettings", __base__=PluginBlocks, **fields)
    made.__doc__, made.fault = PluginBlocks.__doc__, fault
    return made
