"""Which number type a device multiplies fastest."""

import torch


def fast_number_type(device: str) -> torch.dtype:
    """Return bfloat16 where the device multiplies it natively, else float32."""
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    abilities = torch.cpu.get_capabilities()
    is_native = abilities.get("avx512_bf16") or abilities.get("amx_bf16")
    return torch.bfloat16 if is_native else torch.float32


def number_type(name: str, device: str) -> torch.dtype:
    """Return the type of a setting's name; `auto` is the fast one of the device."""
    if name == "auto":
        return fast_number_type(device)
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
