"""Checkpoint folders of Hugging Face models: checked, hashed, loaded and turned into bytes."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pav.models.errors import InputError
from pav.models.hashing import canonical_json, digest, parse_json
from pav.tasks.runner.messages import ran_out_of_memory
from pav.tasks.store.local_files import cache_folder, write_atomically

_CAUSAL = re.compile(r"(ForCausalLM|LMHeadModel)$")
_WEIGHTS = re.compile(r"^(model|pytorch_model).*\.(safetensors|bin)$")
_TOKENIZER = re.compile(
    r"^(tokenizer\.json|tokenizer\.model|spiece\.model|vocab\.(json|txt)|merges\.txt"
    r"|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json)$"
)
_VOCABULARY = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")
# Fields of the configuration that depend on the place of the folder and not on the model.
_PLACES = ("_name_or_path", "name_or_path", "is_local", "local_files_only")
# Above this size the hash is kept on disk, so that planning stays fast with large weights.
_REMEMBERED_BYTES = 1 << 26

# The safetensors library takes no longer header.
_HEADER_BYTES = 100_000_000

_hashes: dict[tuple[str, int, int], str] = {}


def check_checkpoint(folder: Path) -> None:
    """Raise InputError unless the folder looks like a whole causal language model."""
    try:
        _check_folder(folder)
    except OSError as error:
        raise _wrong(folder, f"files that can be read, got {error}") from None


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        kind = "a file" if folder.exists() else "nothing"
        raise _wrong(folder, f"a folder, got {kind} at that path")
    config = _read_object(folder, "config.json")
    architectures = config.get("architectures") or []
    names = architectures if isinstance(architectures, list) else []
    is_causal = any(_CAUSAL.search(str(name)) for name in names)
    if not is_causal or config.get("is_encoder_decoder"):
        raise _wrong(folder, f"a causal language model (…ForCausalLM), got {architectures!r:.200}")
    _check_files(folder, {path.name for path in folder.iterdir()})


def _read_object(folder: Path, name: str) -> dict[str, Any]:
    """Return the JSON object in a file of the folder."""
    path = folder / name
    if not path.is_file():
        raise _wrong(folder, f"a {name} in it, found none")
    try:
        value = parse_json(path.read_bytes())
    except ValueError as error:
        raise _wrong(folder, f"JSON in {name}, got {error}") from None
    if not isinstance(value, dict):
        raise _wrong(folder, f"an object in {name}, got {type(value).__name__}")
    return value


def _check_files(folder: Path, names: set[str]) -> None:
    """Raise InputError where weights or tokenizer are missing, or no file, or not whole."""
    if not any(_WEIGHTS.match(name) for name in names):
        raise _wrong(folder, "weights (model.safetensors or pytorch_model.bin), found none")
    for name in sorted(filter(is_identity_file, names)):
        if not (folder / name).is_file():
            raise _wrong(folder, f"a regular file {name}, got something else of that name")
    for name in sorted(name for name in names if name.endswith(".safetensors.index.json")):
        _check_index(folder, name, names)
    for name in sorted(name for name in names if _WEIGHTS.match(name)):
        if name.endswith(".safetensors"):
            _check_safetensors(folder, name)
    if not names.intersection(_VOCABULARY):
        raise _wrong(folder, f"a tokenizer ({', '.join(_VOCABULARY)}), found none of these")


def _check_index(folder: Path, index: str, names: set[str]) -> None:
    """Raise InputError where an index of weights names a file that the folder lacks."""
    weights = _read_object(folder, index).get("weight_map")
    if not isinstance(weights, dict) or not all(isinstance(each, str) for each in weights.values()):
        raise _wrong(folder, f"a weight_map of file names in {index}, got {weights!r:.200}")
    if missing := sorted(set(weights.values()) - names):
        raise _wrong(folder, f"every file that {index} names, missing {missing[:5]}")


def _check_safetensors(folder: Path, name: str) -> None:
    """Raise InputError where a file is not as long as its own header says (a broken copy)."""
    expected = -1
    with (folder / name).open("rb") as file, suppress(ValueError, LookupError, TypeError):
        length = int.from_bytes(file.read(8), "little")
        header = parse_json(file.read(min(length, _HEADER_BYTES)))
        entries = [entry for key, entry in dict(header).items() if key != "__metadata__"]
        expected = 8 + length + max((entry["data_offsets"][1] for entry in entries), default=0)
    size = (folder / name).stat().st_size
    if size != expected:
        raise _wrong(folder, f"whole weights, but {name} is cut off or damaged ({size} bytes)")


def _wrong(folder: Path, expected: str) -> InputError:
    return InputError(
        f"checkpoint {str(folder)!r}: expected {expected}; "
        "give a local Hugging Face checkpoint folder"
    )


def is_identity_file(name: str) -> bool:
    """Tell whether a file of a checkpoint folder decides what the model says."""
    return name == "config.json" or bool(_WEIGHTS.match(name) or _TOKENIZER.match(name))


def file_hashes(folder: Path) -> dict[str, str]:
    """Return name -> sha256 of configuration, weights and tokenizer; each is read only once."""
    names = sorted(path.name for path in folder.iterdir() if is_identity_file(path.name))
    return {name: _file_hash(folder / name) for name in names}


def _file_hash(path: Path) -> str:
    state = path.stat()
    key = (os.path.abspath(path), state.st_size, state.st_mtime_ns)
    if key not in _hashes:
        note = cache_folder() / "hashes" / digest(list(key), length=32)
        is_large = state.st_size >= _REMEMBERED_BYTES
        known = note.read_text() if is_large and note.is_file() else ""
        _hashes[key] = known or _sha256(path)
        if is_large and not known:
            write_atomically(note, _hashes[key].encode())
    return _hashes[key]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_policy(folder: Path, *, dtype: str, device: str) -> Any:
    """Return the causal language model of a folder, in evaluation mode, on the device."""
    check_checkpoint(folder)
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    with loading(lambda error: _wrong(folder, f"weights that Transformers loads, got {error}")):
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), local_files_only=True, trust_remote_code=False
        )
    return model.to(device).eval()


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of a folder; InputError where it has no end-of-text token."""
    from transformers import AutoTokenizer

    with loading(lambda error: _wrong(folder, f"a tokenizer that Transformers loads, got {error}")):
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    if tokenizer.eos_token_id is None:
        raise _wrong(folder, "a tokenizer with an end-of-text token (eos_token), got none")
    return tokenizer


@contextmanager
def loading(refusal: Callable[[Exception], InputError]) -> Iterator[None]:
    """Raise the refusal of what Transformers raises; a lack of memory is raised as it is."""
    try:
        yield
    # A boundary: the user's files decide what another library raises.
    except Exception as error:
        if ran_out_of_memory(error):
            raise
        raise refusal(error) from error


def checkpoint_files(model: Any, tokenizer: Any) -> dict[str, bytes]:
    """Return name -> bytes of a folder for `from_pretrained`; equal models give equal bytes."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as name:
        model.save_pretrained(name)
        tokenizer.save_pretrained(name)
        paths = sorted(path for path in Path(name).rglob("*") if path.is_file())
        files = {path.relative_to(name).as_posix(): path.read_bytes() for path in paths}
    return {file: _without_places(file, data) for file, data in files.items()}


def _without_places(name: str, data: bytes) -> bytes:
    if name not in ("config.json", "tokenizer_config.json", "generation_config.json"):
        return data
    content: Mapping[str, Any] = json.loads(data)
    kept = {key: value for key, value in content.items() if key not in _PLACES}
    return (json.dumps(json.loads(canonical_json(kept)), indent=2) + "\n").encode()
