"""YAML as settings are written in it: no key twice, and one message for all that can be wrong."""

from typing import Any

import yaml

from pav.models.errors import InputError, shown


class _Loader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys; here that is an error."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        known = set()
        for key, _ in node.value:
            if _name(key) in known:
                problem = f"key {shown(key.value)} stands twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            known.add(_name(key))
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge what `<<` names, each key once: PyYAML's lists of merges of merges double."""
        super().flatten_mapping(node)
        node.value = list({_name(pair[0]): pair for pair in node.value}.values())


def read_yaml(text: str) -> Any:
    """Return the value of a YAML text; InputError says what is wrong with it, and on which line."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise InputError(_problem(error)) from None
    except RecursionError:
        raise InputError("a value that is nested too deeply") from None
    except (ValueError, LookupError, AttributeError) as error:
        # Numbers and dates that look like some and are none, or whose tag says that they are.
        raise InputError(f"a value that is not what it looks like: {shown(str(error))}") from None


def _name(key: yaml.Node) -> tuple[str, object]:
    """Return by what two keys are the same; lists and blocks, which are no keys, differ."""
    return key.tag, key.value if isinstance(key, yaml.ScalarNode) else id(key)


def _problem(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error)
