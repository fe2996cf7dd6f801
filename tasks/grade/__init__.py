"""Verdicts on responses: by text in this process, symbolically in processes of their own."""
